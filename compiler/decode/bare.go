package decode

import (
	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/compiler/yaml"
	"pipec.dev/pipec/schema/language"
)

// Bare reports text in YAML files that is the address of a declaration: probably its value, `${…}`, was meant. Text that
// names no declaration, such as the file name input.csv, is not reported.
func Bare(p *load.Project, blocks []*Block, diags *diag.List) {
	var names *declared
	for _, f := range p.Files {
		if f.YAML == nil {
			continue
		}
		for _, s := range f.YAML.Suspects {
			if names == nil {
				names = declare(blocks)
			}
			if names.has(s) {
				diags.Add(bare(s, p.Sources[s.Range.Filename]))
			}
		}
	}
}

func bare(s yaml.Suspect, src []byte) diag.Diagnostic {
	text := s.Text
	d := diag.New("bare-reference", s.Range, "this is the text %q, and not the value that it names", text).
		WithDetail("If you mean the text, write ${%q}.", text).WithSuggestion("write ${%s}", text)
	at := s.Range
	if s.Quoted && at.End.Byte-at.Start.Byte == len(text)+2 { // keep the quotes
		at.Start.Byte, at.Start.Column = at.Start.Byte+1, at.Start.Column+1
		at.End.Byte, at.End.Column = at.End.Byte-1, at.End.Column-1
	}
	if at.End.Byte > len(src) || string(src[at.Start.Byte:at.End.Byte]) != text {
		return d
	}
	if s.Quoted {
		return d.WithFix(at, "${"+text+"}")
	}
	return d.WithFix(at, `"${`+text+`}"`) // between brackets this is right with quotes too
}

// declared are the addresses that a text may match: "var.x"; of a pipeline, "p param.x"; of a step, "p s input.x".
type declared struct{ at map[string]bool }

func declare(blocks []*Block) *declared {
	d := &declared{at: map[string]bool{}}
	for _, b := range blocks {
		switch b.Def.Name {
		case "variable":
			d.at["var."+b.Label] = true
		case "locals":
			for name := range b.Attrs {
				d.at["local."+name] = true
			}
		case "pipeline":
			d.pipeline(b)
		}
	}
	return d
}

func (d *declared) pipeline(p *Block) {
	for _, b := range p.Blocks {
		switch b.Def.Name {
		case "param":
			d.at[p.Label+" param."+b.Label] = true
		case "step", "finally":
			d.at[p.Label+" step."+b.Label] = true
			for _, n := range b.Blocks {
				if n.Def.Name == "input" || n.Def.Name == "output" {
					d.at[p.Label+" "+b.Label+" "+n.Def.Name+"."+n.Label] = true
				}
			}
		}
	}
}

func (d *declared) has(s yaml.Suspect) bool {
	root := s.Traversal.RootName()
	attr, ok := s.Traversal[1].(hcl.TraverseAttr)
	if !ok {
		return false
	}
	address := root + "." + attr.Name
	switch root {
	case "param":
		return d.at[s.Pipeline+" "+address]
	case "step":
		return len(s.Traversal) > 2 && d.at[s.Pipeline+" "+address]
	case "input", "output":
		return s.Kind == language.Own && d.at[s.Pipeline+" "+s.Step+" "+address]
	case "each":
		return s.Step != "" && len(s.Traversal) == 2 && (attr.Name == "key" || attr.Name == "value")
	case "run":
		return s.Pipeline != "" && len(s.Traversal) == 2 && (attr.Name == "name" || attr.Name == "scheduled_at" || attr.Name == "status")
	}
	return d.at[address]
}
