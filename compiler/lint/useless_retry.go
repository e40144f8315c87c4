package lint

import (
	"strings"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/decode"
)

var uselessRetry = &Rule{
	Code: "useless-retry", Level: Warning,
	Summary: "A `retry` block never leads to another attempt.",
	Doc: "`attempts` counts all of them, and is 1 where nothing is said: other settings have no effect then. Nor is there a second attempt where " +
		"`on_exit_codes` has no code of a failure, where `when` is always false, or where `within` is over before the first wait is. " +
		"`infrastructure` has a budget of its own, and works without `attempts`.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			if b := s.Block.One("retry"); b != nil {
				retry(p, s, b)
			}
		}
	},
}

func retry(p *Pass, s *check.Step, b *decode.Block) {
	r := s.Program.Retry
	if r.Attempts == 1 {
		var idle []string
		for _, name := range []string{"delay", "factor", "max_delay", "within", "on_exit_codes", "when", "oom_memory_factor"} {
			if b.Attr(name) != nil {
				idle = append(idle, "`"+name+"`")
			}
		}
		if len(idle) > 0 {
			p.Tell(p.New(b.DefRange, "there is one attempt in all, so that nothing comes of %s", strings.Join(idle, ", ")).
				WithSuggestion("write attempts = 3, or take the block away"))
		}
		return
	}
	if e := b.Attr("on_exit_codes"); e != nil {
		failures := 0
		for _, code := range r.OnExitCodes {
			if code != 0 {
				failures++
			}
		}
		switch {
		case failures == 0 && len(r.OnExitCodes) > 0:
			p.Tell(p.New(e.Range(), "no failure has exit code 0: the step is never tried again"))
		case failures < len(r.OnExitCodes):
			p.Tell(p.New(e.Range(), "no failure has exit code 0"))
		}
	}
	if e := b.Attr("when"); e != nil && s.RetryWhen != nil {
		if value, constant := truth(s.RetryWhen.Const); constant && !value && !p.World.Varies(e) {
			p.Tell(p.New(e.Range(), "this is always false: the step is never tried again"))
		} else if what := contradiction(s.RetryWhen.Node); what != "" {
			p.Tell(p.New(e.Range(), "the step is never tried again: %s can't be both at once", what))
		}
	}
	if r.Within != 0 && r.Within <= r.Delay {
		p.Tell(p.New(b.Attr("within").Range(), "no attempt starts later than %s after the first, and the second waits for %s", span(r.Within.D()), span(r.Delay.D())))
	}
}
