// Package format lays out source in its one canonical form. It changes spaces and newlines only: what the source means
// stays as it is, and comments stay where they are.
package format

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/schema/language"
)

// maxRounds is how often HCL's own formatter is asked: it lays out some sources only after it has laid them out, as where
// a comment stands between two parts of an expression.
const maxRounds = 10

// joins is where HCL's formatter may make one number of two indexes: x.*.1 . 0 is no longer what it was as x.*.1.0.
var joins = regexp.MustCompile(`[0-9](\s+\.|\.\s+)\s*[0-9]`)

// numbers are those of a source, in order.
func numbers(src []byte) []string {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	var out []string
	for _, t := range tokens {
		if t.Type == hclsyntax.TokenNumberLit {
			out = append(out, string(t.Bytes))
		}
	}
	return out
}

// Source formats one file. false: it can't be parsed, and why is told; the source must be left alone then. What comes out
// stays as it is when it is formatted again. Lines end as the first one does.
func Source(name string, src []byte, diags *diag.List) ([]byte, bool) {
	unix := bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	var own diag.List
	load.Bytes("", name, unix, language.Root(), &own)
	diags.AddList(&own)
	if own.HasErrors() {
		return nil, false
	}
	if bytes.ContainsRune(unix, '\r') {
		return src, true // a carriage return that ends no line may be part of a text: a move could change it
	}
	out := unix
	for range maxRounds {
		next := tidy(hclwrite.Format(out))
		if bytes.Equal(next, out) {
			break
		}
		out = next
	}
	if joins.Match(unix) && !slices.Equal(numbers(unix), numbers(out)) {
		return src, true
	}
	if windows(src) {
		out = bytes.ReplaceAll(out, []byte("\n"), []byte("\r\n"))
	}
	return out, true
}

// tidy ends a file with one newline.
func tidy(out []byte) []byte {
	if out = bytes.TrimRight(out, " \t\n"); len(out) > 0 {
		out = append(out, '\n')
	}
	return out
}

// windows says whether the first line ends as on Windows.
func windows(src []byte) bool {
	i := bytes.IndexByte(src, '\n')
	return i > 0 && src[i-1] == '\r'
}
