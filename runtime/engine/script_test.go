package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// script feeds events to the engine and writes the actions that follow, one line each.
type script struct {
	t   *testing.T
	s   *State
	at  time.Time
	out strings.Builder
	end *record.End
}

func newScript(t *testing.T, p *program.Program, run *record.Run, limit int) *script {
	t.Helper()
	s, err := New(p, run, limit)
	if err != nil {
		t.Fatal(err)
	}
	checkMoves(t, s)
	return &script{t: t, s: s, at: epoch}
}

// play feeds events, or lets time pass. testdata/README.md lists what a line may be.
func (sc *script) play(lines ...string) *script {
	for _, line := range lines {
		if d, ok := strings.CutPrefix(line, "+"); ok {
			v, err := time.ParseDuration(d)
			if err != nil {
				sc.t.Fatal(err)
			}
			sc.at = sc.at.Add(v)
			fmt.Fprintf(&sc.out, "> %s\n", line)
			continue
		}
		e, err := parseEvent(line)
		if err != nil {
			sc.t.Fatal(err)
		}
		e.At = sc.at
		_, actions := Next(sc.s, e)
		fmt.Fprintf(&sc.out, "> %s\n", line)
		for _, a := range actions {
			sc.write(a)
		}
	}
	return sc
}

// write writes an action with all that a driver reads of it.
func (sc *script) write(a Action) {
	p := func(format string, args ...any) { fmt.Fprintf(&sc.out, format, args...) }
	switch a := a.(type) {
	case CheckCache:
		p("check %s", showSpec(&a.Spec))
	case StartAttempt:
		p("start %s", showSpec(&a.Spec))
	case RequestSlot:
		p("enter %s", showSlot(a.Slot))
		if a.Skip {
			p(", or skip")
		}
	case ReleaseSlot:
		p("leave %s", showSlot(a.Slot))
	case StopAttempt:
		p("stop %s/%d: %s", a.Step, a.Attempt, a.Why)
	case SetTimer:
		p("timer %s %s", a.Name, a.At.Sub(epoch))
	case RequestApproval:
		p("ask %s", showAsk(a.Step, &a.Ask))
	case Notify:
		p("notify %s", showEvent(&a.Event))
	case End:
		sc.end = &a.End
		p("end %s", showEnd(string(a.Status), a.Outputs, a.Reason, a.Message))
	default:
		sc.t.Fatalf("%T is no action of the engine", a)
	}
	p("\n")
}

// showSpec shows "step/attempt" and what the attempt is given.
func showSpec(spec *Spec) string {
	out := fmt.Sprintf("%s/%d", spec.Step, spec.Attempt)
	if spec.UserAttempt != spec.Attempt {
		out += fmt.Sprintf(" user=%d", spec.UserAttempt)
	}
	if spec.OOMs != 0 {
		out += fmt.Sprintf(" ooms=%d", spec.OOMs)
	}
	if spec.Key != "" {
		out += " key=" + spec.Key
	}
	for _, d := range spec.Inputs {
		out += " " + show(d)
	}
	if len(spec.Refs) > 0 {
		data, _ := json.Marshal(spec.Refs)
		out += " refs=" + string(data)
	}
	for _, h := range spec.Slots {
		out += " in " + h.Group + "(" + fmt.Sprintf("%s/%d", h.Step, h.Attempt) + ")"
	}
	return out
}

func showSlot(h Slot) string {
	return fmt.Sprintf("%s/%d %s of %d", h.Step, h.Attempt, h.Group, h.Limit)
}

func showAsk(step string, a *record.Ask) string {
	out := step + ": " + a.Message
	if a.Type != "" {
		out += " (" + a.Type + ")"
	}
	if !a.Until.IsZero() {
		out += " until " + a.Until.Sub(epoch).String()
	}
	if a.Default != nil {
		out += " or " + string(a.Default)
	}
	return out
}

func showEvent(e *record.Event) string {
	switch e.Type {
	case record.StepStarted:
		return e.Step + " started"
	case record.StepAsks:
		return e.Step + " asks"
	case record.StepRetried:
		return fmt.Sprintf("%s/%d retried after %s: %s", e.Step, e.Attempt, e.Reason, e.Text)
	case record.StepEnded:
		status := string(e.End.Status)
		if e.End.Cached {
			status += " cached"
		}
		if e.End.Kept {
			status += " kept"
		}
		if e.End.Run != "" {
			status += fmt.Sprintf(" from %s/%d", e.End.Run, e.End.Attempt)
		}
		if e.End.Attempts > 1 {
			status += fmt.Sprintf(" in %d attempts", e.End.Attempts)
		}
		if e.End.ExitCode != nil && *e.End.ExitCode != 0 {
			status += fmt.Sprintf(" exit=%d", *e.End.ExitCode)
		}
		return e.Step + " " + showEnd(status, e.End.Outputs, e.End.Reason, e.End.Message)
	}
	return string(e.Type) + " " + e.Step
}

// showEnd shows how a step or a run ended.
func showEnd(status string, outputs []record.Datum, reason, message string) string {
	out := status
	for _, d := range outputs {
		out += " " + show(d)
	}
	if reason != "" {
		out += " " + reason
	}
	if message != "" {
		out += ": " + message
	}
	return out
}

func show(d record.Datum) string {
	switch {
	case d.Artifact != nil:
		return d.Name + "=" + d.Artifact.Digest
	case d.Value != nil:
		return d.Name + "=" + string(d.Value)
	}
	var parts []string
	for _, e := range d.Elems {
		parts = append(parts, show(e))
	}
	return d.Name + "=[" + strings.Join(parts, " ") + "]"
}

func parseEvent(line string) (record.Event, error) {
	words := strings.Fields(line)
	name := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "start":
		return record.Event{Type: record.RunStarted}, nil
	case "cancel":
		return record.Event{Type: record.CancelRequested}, nil
	case "approve", "reject":
		return parseAnswer(words), nil
	case "timer":
		return record.Event{Type: record.TimerFired, Timer: name(1)}, nil
	case "miss":
		return record.Event{Type: record.CacheChecked, Step: name(1)}, nil
	case "hit", "keep":
		e := record.Event{Type: record.CacheChecked, Step: name(1), From: "r0"}
		if words[0] == "keep" {
			e.Type = record.StepKept
		}
		if len(words) > 2 {
			e.Result = &record.Result{Run: "r0", Attempt: 2, Status: record.Succeeded, Outputs: data(words[2:])}
		}
		return e, nil
	}
	var e record.Event
	e.Type = record.AttemptEnded
	at, n, _ := strings.Cut(words[0], "/")
	e.Step = at
	if _, err := fmt.Sscan(n, &e.Attempt); err != nil {
		return e, fmt.Errorf("%q: %w", line, err)
	}
	r := &record.Result{Class: record.ClassUser, Attempt: e.Attempt, Step: e.Step}
	e.Result = r
	code := 0
	switch name(1) {
	case "ok":
		r.Status, r.ExitCode, r.Outputs = record.Succeeded, &code, data(words[2:])
	case "ok_told": // a process that succeeds when it is asked to stop
		r.Status, r.ExitCode, r.Outputs, r.ToldToStop = record.Succeeded, &code, data(words[2:]), true
	case "fail":
		fmt.Sscan(name(2), &code)
		r.Status, r.ExitCode, r.Reason = record.Failed, &code, record.ReasonError
	case "oom":
		r.Status, r.Reason = record.Failed, record.ReasonOOM
	case "infra":
		r.Status, r.Class, r.Reason = record.Failed, record.ClassInfrastructure, record.ReasonStore
	case "timed_out":
		r.Status, r.Reason = record.TimedOut, record.ReasonTimeout
	case "cancelled":
		r.Status, r.Reason = record.Cancelled, record.ReasonCancelled
	case "nothing":
		e.Result = nil
	case "entered":
		e.Type, e.Result = record.GroupEntered, nil
	case "busy":
		e.Type, e.Result, e.Text = record.GroupBusy, nil, strings.Join(words[2:], " ")
	case "began":
		e.Type, e.Result = record.AttemptStarted, nil
	default:
		return e, fmt.Errorf("%q is no event", line)
	}
	return e, nil
}

// data reads x=3 as a value and x=@d as an artifact; x=[@d,@e] as a list of artifacts.
func data(words []string) []record.Datum {
	var out []record.Datum
	for _, w := range words {
		name, text, ok := strings.Cut(w, "=")
		if !ok {
			continue
		}
		d := record.Datum{Name: name}
		switch {
		case strings.HasPrefix(text, "@"):
			d.Artifact = &record.Artifact{Digest: text[1:]}
		case strings.HasPrefix(text, "[@"):
			for e := range strings.SplitSeq(strings.Trim(text, "[]"), ",") {
				d.Elems = append(d.Elems, record.Datum{Artifact: &record.Artifact{Digest: strings.TrimPrefix(e, "@")}})
			}
		default:
			d.Value = raw(text)
		}
		out = append(out, d)
	}
	return out
}

// parseAnswer reads "approve STEP [JSON]" and "reject STEP [REASON]".
func parseAnswer(words []string) record.Event {
	a := &record.Answer{By: "eva", Reject: words[0] == "reject"}
	switch rest := strings.Join(words[2:], " "); {
	case a.Reject:
		a.Reason = rest
	case rest != "":
		a.Value = raw(rest)
	}
	return record.Event{Type: record.ApprovalGiven, Step: words[1], Answer: a}
}
