package lint

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
)

var quotedReference = &Rule{
	Code: "quoted-reference", Level: Warning,
	Summary: "A text is exactly a reference to a declaration.",
	Doc: "In quotes it is only text: the step receives the letters `param.date`, and there is no edge. Write a reference without quotes, and " +
		"in YAML in `${…}`.",
	Check: func(p *Pass) {
		for _, pl := range p.Pipelines {
			known := declared(p, pl)
			for _, n := range pl.Block.Blocks {
				quoted(p, n, known)
			}
		}
	},
}

// declared returns the references that are possible in a pipeline.
func declared(p *Pass, pl *model.Pipeline) map[string]bool {
	out := map[string]bool{"run.name": true, "run.scheduled_at": true, "run.status": true, "each.key": true, "each.value": true}
	for name := range pl.Params {
		out["param."+name] = true
	}
	for name := range p.Evaluated.Values.Variables {
		out["var."+name] = true
	}
	for name := range p.Evaluated.Values.Locals {
		out["local."+name] = true
	}
	for _, s := range pl.Steps {
		out["step."+s.Name()+".status"] = true
		for _, o := range s.Outputs {
			out["step."+s.Name()+"."+o.Block.Label] = true
		}
	}
	return out
}

func quoted(p *Pass, b *decode.Block, known map[string]bool) {
	for _, a := range b.Sorted() {
		def := b.Def.Attribute(a.Name)
		if def == nil || def.Kind != language.Runtime && def.Kind != language.Own {
			continue
		}
		elements(a.Expr, func(e hcl.Expression) {
			node, ok := e.(hclsyntax.Expression)
			if !ok {
				return
			}
			v, ok := constant(node)
			if !ok || v.IsNull() || v.Type().FriendlyName() != "string" {
				return
			}
			if text := v.AsString(); known[text] {
				write := text
				if !strings.HasSuffix(e.Range().Filename, load.Suffix) {
					write = "${" + text + "}"
				}
				p.Report(p.New(e.Range(), "this is the text %q, not a reference", text).WithSuggestion("write %s", write))
			}
		})
	}
	for _, n := range b.Blocks {
		quoted(p, n, known)
	}
}

// elements calls yield for the parts of a list or an object that is written out, at any depth, or else for the whole.
func elements(e hcl.Expression, yield func(hcl.Expression)) {
	switch e := e.(type) {
	case *hclsyntax.TupleConsExpr:
		for _, x := range e.Exprs {
			elements(x, yield)
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			elements(item.ValueExpr, yield)
		}
	default:
		yield(e)
	}
}
