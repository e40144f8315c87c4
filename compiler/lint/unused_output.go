package lint

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/types"
)

var unusedOutput = &Rule{
	Code: "unused-output", Level: Note,
	Summary: "A step has an output that nothing reads, and other outputs that are read.",
	Doc: "It is computed and stored for no reader, or a reference to it is missing. If nothing reads any output of a step, they are its " +
		"results and not reported. Nor is an artifact for people: `html`, `image`, `json` and `text`. If the output is a result too, make it an " +
		"`output` of the pipeline.",
	Check: func(p *Pass) {
		for _, pl := range p.Pipelines {
			read, whole := map[string]bool{}, map[string]bool{}
			references(pl.Block, func(t hcl.Traversal) {
				if t.RootName() != "step" || len(t) < 2 {
					return
				}
				step, ok := t[1].(hcl.TraverseAttr)
				if !ok {
					return
				}
				for _, part := range t[2:] {
					if out, ok := part.(hcl.TraverseAttr); ok {
						read[step.Name+"."+out.Name] = true
						return
					}
				}
				whole[step.Name] = true // [*], an index that is computed, depends_on
			})
			for _, s := range pl.Steps {
				unread(p, s, read, whole)
			}
		}
	},
}

// viewable are the kinds of artifacts that are made to be looked at.
var viewable = []string{"html", "image", "json", "text"}

func unread(p *Pass, s *model.Step, read, whole map[string]bool) {
	var unread []*model.Output
	for _, o := range s.Outputs {
		if !read[s.Name()+"."+o.Block.Label] {
			unread = append(unread, o)
		}
	}
	if whole[s.Name()] || len(unread) == len(s.Outputs) {
		return
	}
	for _, o := range unread {
		if o.Type != cty.NilType && slices.Contains(viewable, types.String(o.Type)) {
			continue
		}
		p.Report(p.New(o.Block.DefRange, "output %q of %s %q is never read", o.Block.Label, s.Block.Def.Name, s.Name()))
	}
}

// references calls yield for each reference in a block, at any depth.
func references(b *decode.Block, yield func(hcl.Traversal)) {
	for _, a := range b.Attrs {
		for _, t := range a.Expr.Variables() {
			yield(t)
		}
	}
	for _, n := range b.Blocks {
		references(n, yield)
	}
}
