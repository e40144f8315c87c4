package lint

import (
	"encoding/json"
	"time"

	"pipec.dev/pipec/schema/program"
)

var cronOverlap = &Rule{
	Code: "cron-overlap", Level: Warning,
	Summary: "The timeouts allow a run to be still running when the schedule starts the next one.",
	Doc: "With `overlap = \"forbid\"` the next run is then skipped, and with `\"replace\"` the current one is cancelled. You see either only afterwards. The time that " +
		"a run may take is the pipeline's `timeout`, or else the sum of the timeouts of its longest chain of steps, including calls, rounds and instances that " +
		"run one after the other, without retries. With " +
		"`overlap = \"allow\"` the rule reports nothing.",
	Check: func(p *Pass) {
		for pl, s := range p.schedules() {
			b := s.Block
			if s.Overlap == "allow" {
				continue
			}
			takes, why := time.Duration(pl.Timeout), "the pipeline's timeout"
			if chain, all := longest(p.Program(pl)); chain > 0 && (takes == 0 || all && chain < takes) {
				takes, why = chain, "the timeouts of its longest chain of steps"
			}
			every := shortest(s)
			if every == 0 || takes <= every {
				continue
			}
			then := "the next run is skipped"
			if s.Overlap == "replace" {
				then = "the run is cancelled"
			}
			p.Report(p.New(b.Attr("cron").Range(), "a run may take %s by %s, but the next one starts after %s: then %s", span(takes), why, span(every), then).
				WithSuggestion("set a shorter timeout, start fewer runs, or write overlap = \"allow\""))
		}
	},
}

// longest returns how long the longest chain of steps may take, by the steps with a timeout, and whether all steps have
// one.
func longest(prog *program.Program) (takes time.Duration, all bool) {
	if prog == nil {
		return 0, false
	}
	c := chains{prog: prog, done: map[string]bounded{}}
	b := c.of(prog.Ordered())
	return b.takes, b.all
}

// bounded is how long something may take, and whether everything in it has a timeout.
type bounded struct {
	takes time.Duration
	all   bool
}

type chains struct {
	prog *program.Program
	done map[string]bounded // called pipelines
}

// of returns the bound of steps; each step follows those that it needs.
func (c *chains) of(steps []*program.Step) bounded {
	ends, out := map[string]time.Duration{}, bounded{all: true}
	for _, s := range steps {
		var start time.Duration
		for _, n := range s.Needs {
			start = max(start, ends[n.Step])
		}
		one := c.step(s)
		ends[s.Name] = later(start, one.takes, 1)
		out.takes, out.all = max(out.takes, ends[s.Name]), out.all && one.all
	}
	return out
}

// step returns the bound of one step with all its rounds, and with its instances if they run one after the other.
func (c *chains) step(s *program.Step) bounded {
	out := bounded{time.Duration(s.Timeout), s.Timeout != 0}
	if s.Approval != nil {
		out = bounded{time.Duration(s.Approval.Timeout), s.Approval.Timeout != 0}
	}
	if s.Call != nil {
		out = c.called(s.Call.Pipeline)
		if own := time.Duration(s.Timeout); own != 0 && (!out.all || own < out.takes) {
			out = bounded{own, true}
		}
	}
	if s.Repeat != nil {
		out.takes = later(0, out.takes, s.Repeat.Max)
	}
	if each := s.ForEach; each != nil && each.MaxParallel > 0 && len(each.Value.Const) > 0 {
		var list []json.RawMessage
		var byKey map[string]json.RawMessage
		_, _ = json.Unmarshal(each.Value.Const, &list), json.Unmarshal(each.Value.Const, &byKey) // one of both
		out.takes = later(0, out.takes, (len(list)+len(byKey)+each.MaxParallel-1)/each.MaxParallel)
	}
	return out
}

func (c *chains) called(name string) bounded {
	if b, known := c.done[name]; known {
		return b
	}
	c.done[name] = bounded{}
	called := c.prog.CalledNamed(name)
	if called == nil {
		return bounded{}
	}
	part := program.Program{Steps: called.Steps, Finally: called.Finally}
	out := c.of(part.Ordered())
	if whole := time.Duration(called.Timeout); whole != 0 && (!out.all || whole < out.takes) {
		out = bounded{whole, true}
	}
	c.done[name] = out
	return out
}

// later adds n times a duration to another, without overflow.
func later(start, d time.Duration, n int) time.Duration {
	const most = 1 << 62
	if n <= 0 || d == 0 {
		return start
	}
	if d > (most-start)/time.Duration(n) {
		return most
	}
	return start + d*time.Duration(n)
}
