package main

import (
	"fmt"
	"io"

	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/schema/record"
)

// progress prints what use cases report.
type progress struct {
	*terminal
	changes io.Writer // for changes of a cluster: stdout where they are the product
	told    map[string]bool
	line    bool // the terminal's last line is progress of a push, which the next line replaces
}

func (p *progress) notify(n notice.Notice) {
	switch n := n.(type) {
	case notice.Diagnostics:
		_ = p.diagnostics(n.List, n.Sources)
	case notice.Changed:
		fmt.Fprintln(p.changes, n)
	case notice.Warning:
		fmt.Fprintln(p.stderr, p.paint("33", "warning:"), n)
	case notice.Pushing:
		p.pushing(n)
	case notice.PushEnded:
		if p.line {
			fmt.Fprint(p.drawErr, "\r\x1b[K")
		}
		p.line = false
	default:
		fmt.Fprintln(p.stderr, n)
	}
}

// pushing prints how far a push is: on a terminal in one line that changes, elsewhere once.
func (p *progress) pushing(n notice.Pushing) {
	text := n.String()
	if isTerminal(p.drawErr) {
		if n.Total > 0 {
			text += fmt.Sprintf(": %s of %s", notice.Bytes(n.Done), notice.Bytes(n.Total))
		}
		fmt.Fprint(p.drawErr, "\r\x1b[K")
		fmt.Fprint(p.stderr, text)
		p.line = true
		return
	}
	if p.told == nil {
		p.told = map[string]bool{}
	}
	if !p.told[text] {
		p.told[text] = true
		fmt.Fprintln(p.stderr, text)
	}
}

// waits prints what a run, or a step of it, waits for, and what it warns of.
func (t *terminal) waits(e record.Event) {
	switch {
	case e.Type == record.StepWaiting && e.Text != "" && e.Step != "":
		fmt.Fprintf(t.stderr, "%s: waiting for %s\n", e.Step, e.Text)
	case e.Type == record.StepWaiting && e.Text != "":
		fmt.Fprintf(t.stderr, "waiting for %s\n", e.Text)
	case e.Type == record.Warned:
		fmt.Fprintln(t.stderr, t.paint("33", "warning:"), e.Text)
	}
}
