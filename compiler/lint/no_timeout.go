package lint

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/model"
)

var noTimeout = &Rule{
	Code: "no-timeout", Level: Warning,
	Summary: "Nothing ends a step that hangs.",
	Doc: "Neither the pipeline nor some of its steps have a `timeout`: a process that waits for ever, as for a server that doesn't answer, holds " +
		"its node, and with it the run and all that the schedule would start.\n\nA `timeout` of the pipeline is enough, and one of each step says more. A pipeline that " +
		"is only there to be called by others has the time of its callers.",
	Check: func(p *Pass) {
		called := called(p.Project)
		hangs := hanging{}
		for _, pl := range p.Pipelines {
			if pl.Block.Attr("timeout") != nil || called[pl.Block.Label] && pl.Block.One("schedule") == nil {
				continue
			}
			var without []string
			for _, s := range pl.Steps {
				if hangs.step(s) {
					without = append(without, s.Name())
				}
			}
			if len(without) == 0 {
				continue
			}
			d := p.New(pl.Block.DefRange, "pipeline %q has no timeout, and these of its steps have none: %s", pl.Block.Label, listed(without))
			if len(without) == len(pl.Steps) {
				d = p.New(pl.Block.DefRange, "pipeline %q has no timeout, and neither have its steps", pl.Block.Label)
			}
			p.Tell(d.WithSuggestion(`write timeout = "2h" in the pipeline, with the longest that a run may take`))
		}
	},
}

// hanging are the pipelines that nothing ends, as far as they have been looked at.
type hanging map[*model.Pipeline]bool

// step says whether nothing ends a step that hangs, or one of the steps that it calls.
func (h hanging) step(s *model.Step) bool {
	if s.Callee == nil {
		return runs(s) && s.Block.Attr("timeout") == nil
	}
	hangs, known := h[s.Callee]
	if !known {
		h[s.Callee] = false // pipelines don't call each other in a ring
		hangs = s.Callee.Block.Attr("timeout") == nil && slices.ContainsFunc(s.Callee.Steps, h.step)
		h[s.Callee] = hangs
	}
	return hangs
}

// called are the pipelines that others call: those have the time that their callers have.
func called(p *Project) map[string]bool {
	out := map[string]bool{}
	for _, s := range p.Steps {
		e := s.Block.Attr("pipeline")
		if e == nil {
			continue
		}
		if t, hclDiags := hcl.AbsTraversalForExpr(e); !hclDiags.HasErrors() && len(t) == 2 && t.RootName() == "pipeline" {
			if name, ok := t[1].(hcl.TraverseAttr); ok {
				out[name.Name] = true
			}
		}
	}
	return out
}

// runs says whether a step starts a process of its own.
func runs(s *model.Step) bool { return s.Block.Attr("command") != nil || s.Block.Attr("python") != nil }

// listed are names for a sentence, not too many.
func listed(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
