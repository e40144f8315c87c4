package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// The following make small programs.

func step(name string, parts ...func(*program.Step)) program.Step {
	s := program.Step{Name: name, Command: []program.Value{{Const: raw(`"true"`)}}, Retry: program.Retry{Attempts: 1, Infrastructure: 3}}
	for _, part := range parts {
		part(&s)
	}
	return s
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func needs(kind program.NeedKind, names ...string) func(*program.Step) {
	return func(s *program.Step) {
		for _, n := range names {
			s.Needs = append(s.Needs, program.Need{Step: n, Kind: kind})
		}
	}
}

func output(name, typ string) func(*program.Step) {
	return func(s *program.Step) { s.Outputs = append(s.Outputs, program.Output{Name: name, Type: typ}) }
}

func outputOr(name, typ, def string) func(*program.Step) {
	return func(s *program.Step) {
		s.Outputs = append(s.Outputs, program.Output{Name: name, Type: typ, Default: raw(def)})
	}
}

func input(name, typ string, v program.Value) func(*program.Step) {
	return func(s *program.Step) { s.Inputs = append(s.Inputs, program.Input{Name: name, Type: typ, Value: v}) }
}

func inputOr(name, typ string, v program.Value, def string) func(*program.Step) {
	return func(s *program.Step) {
		s.Inputs = append(s.Inputs, program.Input{Name: name, Type: typ, Value: v, Default: raw(def)})
	}
}

func when(text, typ string, refs ...string) func(*program.Step) {
	return func(s *program.Step) { v := ex(text, typ, refs...); s.When = &v }
}

func ref(r string) program.Value  { return program.Value{Ref: r} }
func soft(r string) program.Value { return program.Value{Ref: r, Soft: true} }

// ex is an expression; a reference that starts with ~ is soft.
func ex(text, typ string, refs ...string) program.Value {
	e := &expr.Expr{Text: text, Type: typ}
	for _, r := range refs {
		name, isSoft := strings.CutPrefix(r, "~")
		e.Refs = append(e.Refs, name)
		if isSoft {
			e.Soft = append(e.Soft, name)
		}
	}
	return program.Value{Expr: e}
}

func retry(r program.Retry) func(*program.Step) { return func(s *program.Step) { s.Retry = r } }

func steadfast(s *program.Step) { s.ContinueOnFailure = true }

func pipeline(steps ...program.Step) *program.Program {
	return &program.Program{Version: 1, Pipeline: "p", Steps: steps, OnFailure: "continue"}
}

func newRun() *record.Run { return &record.Run{Version: 1, Name: "r1", UID: "u", Pipeline: "p"} }

// script feeds events and writes what comes of them, a line an action.
type script struct {
	t   *testing.T
	s   *State
	at  time.Time
	out strings.Builder
	end *record.End
	got map[string]Spec // of the attempts that were started or looked up, by "step/attempt"
}

func newScript(t *testing.T, p *program.Program, run *record.Run, limit int) *script {
	t.Helper()
	s, err := New(p, run, limit)
	if err != nil {
		t.Fatal(err)
	}
	return &script{t: t, s: s, at: epoch, got: map[string]Spec{}}
}

// play runs lines such as "start", "a/1 ok x=3", "a/1 fail 2", "a/1 infra", "a/1 timed_out", "a/1 cancelled",
// "a/1 entered", "a/1 busy WHO",
// "+5s", "timer NAME", "cancel", "miss a", "hit a x=3", "keep a x=3", "keep a".
func (sc *script) play(lines ...string) *script {
	for _, line := range lines {
		if d, ok := strings.CutPrefix(line, "+"); ok {
			v, err := time.ParseDuration(d)
			if err != nil {
				sc.t.Fatal(err)
			}
			sc.at = sc.at.Add(v)
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

func (sc *script) write(a Action) {
	switch a := a.(type) {
	case CheckCache:
		sc.got[fmt.Sprintf("%s/%d", a.Step, a.Attempt)] = a.Spec
		fmt.Fprintf(&sc.out, "check %s/%d\n", a.Step, a.Attempt)
	case StartAttempt:
		sc.got[fmt.Sprintf("%s/%d", a.Step, a.Attempt)] = a.Spec
		fmt.Fprintf(&sc.out, "start %s/%d", a.Step, a.Attempt)
		if a.UserAttempt != a.Attempt {
			fmt.Fprintf(&sc.out, " user=%d", a.UserAttempt)
		}
		for _, d := range a.Inputs {
			fmt.Fprintf(&sc.out, " %s", show(d))
		}
		if len(a.Refs) > 0 {
			data, _ := json.Marshal(a.Refs)
			fmt.Fprintf(&sc.out, " refs=%s", data)
		}
		sc.out.WriteByte('\n')
	case EnterGroup:
		fmt.Fprintf(&sc.out, "enter %s/%d %s of %d", a.Step, a.Attempt, a.Group, a.Limit)
		if a.Skip {
			sc.out.WriteString(", or skip")
		}
		sc.out.WriteByte('\n')
	case LeaveGroup:
		fmt.Fprintf(&sc.out, "leave %s/%d %s\n", a.Step, a.Attempt, a.Group)
	case StopAttempt:
		fmt.Fprintf(&sc.out, "stop %s/%d: %s\n", a.Step, a.Attempt, a.Why)
	case SetTimer:
		fmt.Fprintf(&sc.out, "timer %s %s\n", a.Name, a.At.Sub(epoch))
	case Ask:
		sc.asked(a)
	case Notify:
		sc.notified(a)
	case End:
		sc.end = &a.End
		fmt.Fprintf(&sc.out, "end %s", a.Status)
		if a.Reason != "" {
			fmt.Fprintf(&sc.out, " %s", a.Reason)
		}
		if a.Message != "" {
			fmt.Fprintf(&sc.out, ": %s", a.Message)
		}
		for _, d := range a.Outputs {
			fmt.Fprintf(&sc.out, " %s", show(d))
		}
		sc.out.WriteByte('\n')
	}
}

func (sc *script) notified(a Notify) {
	switch a.Type {
	case record.StepRetried:
		fmt.Fprintf(&sc.out, "retried %s: %s\n", a.Step, a.Text)
	case record.StepEnded:
		fmt.Fprintf(&sc.out, "%s %s", a.Step, a.End.Status)
		if a.End.Cached {
			sc.out.WriteString(" cached")
		}
		if a.End.Kept {
			sc.out.WriteString(" kept")
		}
		if a.End.Run != "" {
			fmt.Fprintf(&sc.out, " from %s/%d", a.End.Run, a.End.Attempt)
		}
		if a.End.Reason != "" {
			fmt.Fprintf(&sc.out, " %s", a.End.Reason)
		}
		if a.End.Message != "" {
			fmt.Fprintf(&sc.out, ": %s", a.End.Message)
		}
		sc.out.WriteByte('\n')
	}
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
	case "ok_told": // a process that ends well when it is told to stop
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

// scenario is one entry of the tables: what a program does in the face of events.
type scenario struct {
	name  string
	p     *program.Program
	run   func(*record.Run)
	limit int
	play  []string
	want  string
}

func testScenarios(t *testing.T, table []scenario) {
	for _, tc := range table {
		t.Run(tc.name, func(t *testing.T) {
			run := newRun()
			if tc.run != nil {
				tc.run(run)
			}
			sc := newScript(t, tc.p, run, tc.limit).play(tc.play...)
			got := strings.TrimSpace(sc.out.String())
			var want []string
			for line := range strings.Lines(tc.want) {
				if line = strings.TrimSpace(line); line != "" {
					want = append(want, line)
				}
			}
			if w := strings.Join(want, "\n"); got != w {
				t.Errorf("got:\n%s\n\nwant:\n%s", got, w)
			}
		})
	}
}

// lastSpec is what the attempt "step/n" was started with.
func lastSpec(t *testing.T, sc *script, key string) Spec {
	t.Helper()
	spec, ok := sc.got[key]
	if !ok {
		t.Fatalf("%s was not started:\n%s", key, sc.out.String())
	}
	return spec
}
