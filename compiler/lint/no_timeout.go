package lint

import (
	"strings"

	"pipec.dev/pipec/compiler/check"
)

var noTimeout = &Rule{
	Code: "no-timeout", Level: Warning,
	Summary: "Nothing ends a step that hangs.",
	Doc: "Neither the pipeline nor some of its steps have a `timeout`: a process that waits for ever, as for a server that doesn't answer, holds " +
		"its node, and with it the run and all that the schedule would start.\n\nA `timeout` of the pipeline is enough, and one of each step says more.",
	Check: func(p *Pass) {
		for _, pl := range p.Pipelines {
			if pl.Block.Attr("timeout") != nil {
				continue
			}
			var without []string
			for _, s := range pl.Steps {
				if runs(s) && s.Block.Attr("timeout") == nil {
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

// runs says whether a step starts a process of its own.
func runs(s *check.Step) bool { return s.Block.Attr("command") != nil || s.Block.Attr("python") != nil }

// listed are names for a sentence, not too many.
func listed(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
