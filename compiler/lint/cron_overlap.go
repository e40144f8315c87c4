package lint

import (
	"time"

	"pipec.dev/pipec/schema/program"
)

var cronOverlap = &Rule{
	Code: "cron-overlap", Level: Warning,
	Summary: "By its timeouts a run may still be at work when the schedule starts the next one.",
	Doc: "With `overlap = \"forbid\"` the next run is then left out, and with `\"replace\"` this one is ended: either is seen only afterwards. The time that " +
		"a run may take is the pipeline's `timeout`, or else what its longest chain of steps may take by theirs, retries not counted. With " +
		"`overlap = \"allow\"` nothing is told.",
	Check: func(p *Pass) {
		for _, pl := range p.Pipelines {
			b, s := pl.Block.One("schedule"), pl.Program.Schedule
			if b == nil || s == nil || s.Overlap == "allow" {
				continue
			}
			takes, why := time.Duration(pl.Program.Timeout), "the pipeline's timeout"
			if chain := longest(p.Program(pl)); chain > 0 && (takes == 0 || chain < takes) {
				takes, why = chain, "the timeouts of its longest chain of steps"
			}
			every := shortest(s)
			if every == 0 || takes <= every {
				continue
			}
			then := "the next one is left out"
			if s.Overlap == "replace" {
				then = "it is ended"
			}
			p.Tell(p.New(b.Attr("cron").Range(), "a run may take %s by %s, and the next starts after %s: %s then", span(takes), why, span(every), then).
				WithSuggestion("give it less time, start fewer runs, or write overlap = \"allow\""))
		}
	},
}

// longest is what the longest chain of steps may take; 0 where some step has no timeout.
func longest(prog *program.Program) time.Duration {
	if prog == nil {
		return 0
	}
	ends := map[string]time.Duration{}
	var last time.Duration
	for _, s := range prog.Ordered() {
		takes := s.Timeout
		if s.Approval != nil {
			takes = s.Approval.Timeout
		}
		if takes == 0 {
			return 0
		}
		var start time.Duration
		for _, n := range s.Needs {
			start = max(start, ends[n.Step])
		}
		ends[s.Name] = start + time.Duration(takes)
		last = max(last, ends[s.Name])
	}
	return last
}
