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
		"`output` of the pipeline. An output that `repeat` carries or tests is read, and so is one that any caller of its pipeline reads.",
	Check: func(p *Pass) {
		calls := callees{}
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
				if s.Callee != nil {
					calls.add(s, read, whole)
					continue
				}
				if repeat := s.Block.One("repeat"); repeat != nil {
					references(repeat, func(t hcl.Traversal) { readOwn(s, t, read) })
				}
				unread(p, s, read, whole)
			}
		}
		calls.report(p)
	},
}

// readOwn notes that a round of a step reads an output of the step.
func readOwn(s *model.Step, t hcl.Traversal, read map[string]bool) {
	if t.RootName() != "output" || len(t) < 2 {
		return
	}
	if out, ok := t[1].(hcl.TraverseAttr); ok {
		read[s.Name()+"."+out.Name] = true
	}
}

// callees has what the callers of pipelines read: all outputs, or some.
type callees map[*model.Pipeline]*callee

type callee struct {
	whole bool
	read  map[string]bool
}

// add notes what the callers of a step read.
func (c callees) add(s *model.Step, read, whole map[string]bool) {
	one := c[s.Callee]
	if one == nil {
		one = &callee{read: map[string]bool{}}
		c[s.Callee] = one
	}
	one.whole = one.whole || whole[s.Name()]
	for _, o := range s.Outputs {
		if read[s.Name()+"."+o.Block.Label] {
			one.read[o.Block.Label] = true
		}
	}
	if repeat := s.Block.One("repeat"); repeat != nil {
		own := map[string]bool{}
		references(repeat, func(t hcl.Traversal) { readOwn(s, t, own) })
		for _, o := range s.Outputs {
			one.read[o.Block.Label] = one.read[o.Block.Label] || own[s.Name()+"."+o.Block.Label]
		}
	}
}

// report reports the outputs of called pipelines that no caller reads. A pipeline that also runs by itself has its outputs
// for people, and a library may have other callers.
func (c callees) report(p *Pass) {
	for _, pl := range p.Pipelines {
		one := c[pl]
		if one == nil || one.whole || !pl.Called() || p.Library {
			continue
		}
		var unread []*model.Result
		for _, r := range pl.Results {
			if !one.read[r.Block.Label] {
				unread = append(unread, r)
			}
		}
		if len(unread) == len(pl.Results) {
			continue
		}
		for _, r := range unread {
			p.Report(p.New(r.Block.DefRange, "output %q of pipeline %q is read by none of its callers", r.Block.Label, pl.Block.Label))
		}
	}
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
