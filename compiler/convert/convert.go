// Package convert writes a source in the other of the two languages: HCL as YAML, YAML as HCL. What the source means
// stays as it is, to the byte of the program; its comments go along to what they stand at, and its order stays but for
// blocks of one type, which stand together in YAML.
//
// It needs no project: a file is converted alone, and names in it may be declared elsewhere.
package convert

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/compiler/yaml"
	"pipec.dev/pipec/schema/language"
)

// Name is what the converted file is called: the name with the other suffix. false: the name is of neither language.
func Name(name string) (other string, ok bool) {
	if base, ok := strings.CutSuffix(name, load.Suffix); ok {
		return base + load.SuffixYAML, true
	}
	if base, ok := strings.CutSuffix(name, load.SuffixYAML); ok {
		return base + load.Suffix, true
	}
	return "", false
}

// Source converts a source; the suffix of its name says which language it is in. false: it is faulty, and why is told.
func Source(name string, src []byte, diags *diag.List) ([]byte, bool) {
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")) // as load does
	var own diag.List
	p := load.Bytes("", name, src, language.Root(), &own)
	if !own.HasErrors() {
		for _, d := range structure(p) {
			own.Add(d)
		}
	}
	diags.AddList(&own)
	if own.HasErrors() || len(p.Files) == 0 {
		return nil, false
	}
	body := p.Files[0].Body
	var out []byte
	other, _ := Name(name)
	if p.Files[0].YAML != nil {
		tree := yaml.Read(name, src, language.Root(), &own)
		out = toHCL(tree, src)
	} else {
		out = toYAML(body, src)
	}
	back := load.Bytes("", other, out, language.Root(), &own)
	if len(back.Files) == 0 || !same(body, back.Files[0].Body) {
		at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		diags.Add(diag.New("not-supported", at, "this file can't be converted without changing what it means"))
		return nil, false
	}
	return out, true
}

// structure tells blocks and attributes that the table doesn't have: how they would be written in the other language is
// not known. What is missing, and what works in a later version only, is no matter.
func structure(p *load.Project) []diag.Diagnostic {
	var told diag.List
	decode.Project(p, &told)
	var out []diag.Diagnostic
	for _, d := range told.Sorted() {
		if d.Severity == diag.Error && d.Code != "not-supported" && d.Code != "invalid-name" && d.Code != "invalid-value" &&
			(d.Code != "missing" || strings.HasSuffix(d.Summary, "is missing")) {
			out = append(out, d)
		}
	}
	return out
}

// formatted lays out HCL.
func formatted(src []byte) []byte { return hclwrite.Format(src) }

// block finds what the table says of a block.
func blockOf(def *language.Block, b *hclsyntax.Block) *language.Block { return def.Block(b.Type) }
