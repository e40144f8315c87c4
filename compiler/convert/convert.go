// Package convert converts a source to the other syntax: HCL to YAML, YAML to HCL. The program of the source doesn't change
// by a byte. Comments move with what they are about. The order is kept, except that blocks of one type are together in
// YAML.
//
// A file is converted by itself, without its project: names in it may be declared elsewhere.
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

// Name returns the name of the converted file: the name with the other suffix. It returns false if the name has neither
// suffix.
func Name(name string) (other string, ok bool) {
	if base, ok := strings.CutSuffix(name, load.Suffix); ok {
		return base + load.SuffixYAML, true
	}
	if base, ok := strings.CutSuffix(name, load.SuffixYAML); ok {
		return base + load.Suffix, true
	}
	return "", false
}

// Source converts a source. The suffix of its name selects its syntax. It reports the faults of the source and returns
// false.
func Source(name string, src []byte, diags *diag.List) ([]byte, bool) {
	return SourceWith(language.Root(), name, src, diags)
}

// SourceWith is Source for a language with the given table, which may have kinds of orchestrators and stores of its own.
func SourceWith(root *language.Block, name string, src []byte, diags *diag.List) ([]byte, bool) {
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")) // as load does
	var own diag.List
	p := load.Bytes("", name, src, root, &own)
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
		tree := yaml.Read(name, src, root, &own)
		out = toHCL(tree, src)
	} else {
		out = toYAML(root, body, src)
	}
	back := load.Bytes("", other, out, root, &own)
	if len(back.Files) == 0 || !same(body, back.Files[0].Body) {
		at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		diags.Add(diag.New("not-supported", at, "this file can't be converted without changing what it means"))
		return nil, false
	}
	return out, true
}

// structure reports blocks and attributes that are not in the table, because it is unknown how to write them in the other
// syntax. Missing ones, and those of later versions, don't matter here.
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

// formatted formats HCL.
func formatted(src []byte) []byte { return hclwrite.Format(src) }

// blockOf returns the definition of a block in the table.
func blockOf(def *language.Block, b *hclsyntax.Block) *language.Block { return def.Block(b.Type) }
