package view

import (
	"fmt"
	"time"

	"pipec.dev/pipec/schema/record"
)

// Plain prints a run as lines: `step | text` for each log line, and a short line for each change.
type Plain struct {
	o             Options
	m             *model
	over          Overwritten
	out, messages sink
	named         bool // the run's name has been printed
}

// NewPlain returns a view that prints lines.
func NewPlain(o Options) *Plain {
	return &Plain{o: o, m: newModel(o.Steps), over: Overwritten{}, out: sink{w: o.Out}, messages: sink{w: o.Messages}}
}

// Event prints an event.
func (p *Plain) Event(e record.Event) {
	if e.Type == record.StepLog {
		e.Text = p.o.source(&e)
	}
	p.m.event(&e)
	if !p.named && e.Run != "" { // a rerun reports the steps that it keeps before it starts
		p.named = true
		fmt.Fprintf(&p.messages, "run %s\n", e.Run)
	}
	switch e.Type {
	case record.StepLog:
		if !p.o.ByStep && !p.over.Repeats(&e) {
			p.line(e.Step, e.Text)
		}
	case record.StepStarted:
		text := p.o.paint(cyan, "started")
		if s := p.m.step(e.Step); s.miss != "" && len(s.parts) == 0 {
			text += p.o.paint(dim, " (not cached: "+safe(s.miss, tailWidth)+")")
		}
		p.say(e.Step, text)
	case record.StepRetried:
		p.say(e.Step, p.o.paint(yellow, safe(e.Text, 0)))
	case record.StepEnded:
		if p.o.ByStep && e.End != nil && e.End.Attempts > 0 {
			p.whole(e.Step)
		}
		p.ended(p.m.step(e.Step))
	case record.StepWaiting:
		p.waits(&e)
	case record.StepAsks:
		p.asks(p.m.step(e.Step))
	case record.CancelRequested:
		p.cancel()
	}
}

func (p *Plain) line(step, text string) {
	if p.o.Safe {
		text = safe(text, 0)
	} else {
		text = Inline(text)
	}
	fmt.Fprintf(&p.out, "%s | %s\n", step, text)
}

// whole prints the log of a step that has ended.
func (p *Plain) whole(step string) {
	if p.o.Lines == nil {
		return
	}
	if err := p.o.Lines(step, func(e record.Event) { p.line(step, p.o.source(&e)) }); err != nil {
		p.say(step, "its log can't be read: "+err.Error())
	}
}

// waits prints what a step or the run waits for. The end of the wait is visible from the next line.
func (p *Plain) waits(e *record.Event) {
	text := wait{e.Text, e.At}.text(p.o.now())
	switch {
	case text == "":
	case e.Step == "":
		fmt.Fprintln(&p.messages, p.o.paint(yellow, text))
	default:
		p.say(e.Step, p.o.paint(yellow, text))
	}
}

func (p *Plain) say(step, text string) { fmt.Fprintf(&p.messages, "%s: %s\n", step, text) }

func (p *Plain) ended(s *step) {
	if s.end == nil {
		return
	}
	text, code := s.outcome(p.o.now())
	p.say(s.name, p.o.paint(code, text))
}

// outcome describes how a step ended, and returns the color for it.
func (s *step) outcome(now time.Time) (text, code string) {
	e := s.end
	switch {
	case e.Cached:
		return "cached (run " + s.from + ")", green
	case e.Kept:
		return "kept (run " + s.from + ")", green
	case e.Status == record.Succeeded:
		text = "succeeded in " + duration(s.took(now))
		if e.Ask != nil && e.Message != "" {
			text += ": " + safe(e.Message, tailWidth)
		}
		return text, green
	case e.Status == record.Skipped:
		return "skipped: " + because("", e.Message), dim
	}
	text = status(e.Status)
	if !s.started.IsZero() {
		text += " after " + duration(s.took(now))
	}
	if why := because(e.Reason, e.Message); why != "" && !s.echoed(e.Message) {
		text += ": " + why
	}
	return text, red
}

// cancel prints the effect of a cancellation. The third Ctrl-C has no effect, and a run without its driver reports more
// of them.
func (p *Plain) cancel() {
	if p.m.cancels <= 2 {
		fmt.Fprintln(&p.messages, p.o.paint(yellow, p.m.cancelling(&p.o)))
	}
}

func (m *model) cancelling(o *Options) string {
	switch {
	case m.cancels > 1:
		return "stopping the running steps immediately"
	case o.Interactive:
		if o.Detached {
			return "cancelling: the steps are asked to stop (press Ctrl-C again to stop waiting for them)"
		}
		return "cancelling: the steps are asked to stop (press Ctrl-C again to stop them immediately)"
	}
	return "cancelling: the steps are asked to stop"
}

// Close prints how the run ended.
func (p *Plain) Close() error {
	p.m.summary(&p.o, &p.out, &p.messages)
	if p.out.err != nil {
		return p.out.err
	}
	return p.messages.err
}
