package lint

import (
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/model"
)

var noTimeout = &Rule{
	Code: "no-timeout", Level: Warning,
	Summary: "A step that hangs is never stopped.",
	Doc: "Neither the pipeline nor some of its steps have a `timeout`: a process that waits forever, for example for a server that doesn't answer, blocks " +
		"its resources, the run, and the runs that the schedule would start.\n\nA `timeout` of the pipeline is enough; a `timeout` of each step is more precise. A pipeline that " +
		"only other pipelines call has the timeout of its callers.",
	Check: func(p *Pass) {
		hangs := hanging{}
		for _, pl := range p.Pipelines {
			if pl.Timeout > 0 || pl.Called() {
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
			d := p.New(pl.Block.DefRange, "pipeline %q has no timeout, and these steps have none: %s", pl.Block.Label, listed(without))
			if len(without) == len(pl.Steps) {
				d = p.New(pl.Block.DefRange, "pipeline %q has no timeout, and neither have its steps", pl.Block.Label)
			}
			p.Report(d.WithSuggestion(`write for example timeout = "2h" in the pipeline: the longest time that a run may take`))
		}
	},
}

// hanging records the pipelines that have been examined, and whether nothing stops a step that hangs in them.
type hanging map[*model.Pipeline]bool

// step reports whether nothing stops the step, or a step that it calls, if it hangs.
func (h hanging) step(s *model.Step) bool {
	if s.Callee == nil {
		return runs(s) && s.Timeout == 0
	}
	hangs, known := h[s.Callee]
	if !known {
		h[s.Callee] = false // pipelines don't call each other in a cycle
		hangs = s.Callee.Timeout == 0 && slices.ContainsFunc(s.Callee.Steps, h.step)
		h[s.Callee] = hangs
	}
	return hangs && s.Timeout == 0
}

// runs reports whether a step starts a process of its own.
func runs(s *model.Step) bool { return s.Callee == nil && !s.IsApproval() }

// listed joins a limited number of names for a sentence.
func listed(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
