// Package format formats source in its one canonical layout. It changes only spaces and newlines: the meaning of the source
// and the positions of its comments don't change.
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

// maxRounds is how often HCL's own formatter runs at most. It needs several rounds for some sources, for example if a
// comment is between two parts of an expression.
const maxRounds = 10

// joins matches where HCL's formatter may join two indexes into one number: it changes x.*.1 . 0 to x.*.1.0.
var joins = regexp.MustCompile(`[0-9](\s+\.|\.\s+)\s*[0-9]`)

// numbers returns the numbers of a source, in order.
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

// Source formats one file. It returns false if the file can't be parsed, which it reports; the file must not be changed
// then. Formatting the result again changes nothing. All lines end as the first one does.
func Source(name string, src []byte, diags *diag.List) ([]byte, bool) {
	unix := bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	var own diag.List
	load.Bytes("", name, unix, language.Root(), &own)
	diags.AddList(&own)
	if own.HasErrors() {
		return nil, false
	}
	if bytes.ContainsRune(unix, '\r') {
		return src, true // a carriage return that doesn't end a line may be part of a text, and moving it could change the text
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

// tidy ends a file with exactly one newline.
func tidy(out []byte) []byte {
	if out = bytes.TrimRight(out, " \t\n"); len(out) > 0 {
		out = append(out, '\n')
	}
	return out
}

// windows reports whether the first line ends with CRLF.
func windows(src []byte) bool {
	i := bytes.IndexByte(src, '\n')
	return i > 0 && src[i-1] == '\r'
}
