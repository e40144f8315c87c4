package engine

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// asks makes an approval of a step; typ is that of its value, or "".
func asks(typ string, a program.Approval, parts ...func(*program.Step)) func(*program.Step) {
	return func(s *program.Step) {
		s.Command, s.Retry, s.Approval = nil, program.Retry{}, &a
		if m := &s.Approval.Message; m.Const == nil && m.Ref == "" && m.Expr == nil {
			s.Approval.Message = program.Value{Const: raw(`"go?"`)}
		}
		if typ != "" {
			output("value", typ)(s)
		}
		for _, part := range parts {
			part(s)
		}
	}
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

func (sc *script) asked(a Ask) {
	fmt.Fprintf(&sc.out, "ask %s: %s", a.Step, a.Message)
	if a.Type != "" {
		fmt.Fprintf(&sc.out, " (%s)", a.Type)
	}
	if !a.Until.IsZero() {
		fmt.Fprintf(&sc.out, " until %s", a.Until.Sub(epoch))
	}
	sc.out.WriteByte('\n')
}

func TestApproval(t *testing.T) {
	const hour = program.Duration(time.Hour)
	gated := func(typ string, a program.Approval) *program.Program {
		return pipeline(step("a", output("x", "number")), step("ok", needs("output", "a"), asks(typ, a)),
			step("b", needs("output", "ok"), func(s *program.Step) {
				if typ != "" {
					input("v", typ, ref("step.ok.value"))(s)
				}
			}))
	}
	testScenarios(t, []scenario{
		{
			name: "approved, without a value", p: gated("", program.Approval{Message: ex(`"x is ${step.a.x}"`, "string", "step.a.x")}),
			play: []string{"start", "approve ok", "a/1 ok x=2", "approve ok", "approve ok", "b/1 ok"},
			want: `> start
				start a/1
				> approve ok
				> a/1 ok x=2
				a succeeded
				ask ok: x is 2
				> approve ok
				ok succeeded: approved by eva
				start b/1
				> approve ok
				> b/1 ok
				b succeeded
				end succeeded`,
		},
		{
			name: "approved, with a value of the type that is asked for", p: gated("object({a = number, b = optional(string)})", program.Approval{}),
			play: []string{"start", "a/1 ok x=2", `approve ok {"a":"x"}`, "approve ok", "approve ok null", "approve ok {", `approve ok {"a": 1}`},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				ask ok: go? (object({a = number, b = optional(string)}))
				> approve ok {"a":"x"}
				> approve ok
				> approve ok null
				> approve ok {
				> approve ok {"a": 1}
				ok succeeded: approved by eva
				start b/1 v={"a":1,"b":null}`,
		},
		{
			name: "a value where none is asked for is no answer", p: pipeline(step("ok", asks("", program.Approval{}))),
			play: []string{"start", "approve ok true", "approve nobody", "approve ok"},
			want: "> start\nask ok: go?\n> approve ok true\n> approve nobody\n> approve ok\nok succeeded: approved by eva\nend succeeded",
		},
		{
			name: "rejected", p: gated("bool", program.Approval{Timeout: hour, Default: raw("true")}),
			play: []string{"start", "a/1 ok x=2", "reject ok too low", "timer approval/ok"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				ask ok: go? (bool) until 1h0m0s
				timer approval/ok 1h0m0s
				> reject ok too low
				ok failed Rejected: rejected by eva: too low
				b skipped UpstreamFailed: ok failed
				end failed StepsFailed: ok failed
				> timer approval/ok`,
		},
		{
			name: "nobody answers in time", p: gated("bool", program.Approval{Timeout: hour}),
			play: []string{"start", "+1m", "a/1 ok x=2", "+1h", "timer approval/ok", "approve ok true"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				ask ok: go? (bool) until 1h1m0s
				timer approval/ok 1h1m0s
				> timer approval/ok
				ok timed_out Timeout: nobody has answered in 1h0m0s
				b skipped UpstreamFailed: ok timed out
				end failed StepsFailed: ok timed out
				> approve ok true`,
		},
		{
			name: "nobody answers in time, and there is a default", p: gated("bool", program.Approval{Timeout: hour, Default: raw("false")}),
			play: []string{"start", "a/1 ok x=2", "timer approval/ok"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				ask ok: go? (bool) until 1h0m0s
				timer approval/ok 1h0m0s
				> timer approval/ok
				ok succeeded Timeout: nobody has answered in 1h0m0s: the default is taken
				start b/1 v=false`,
		},
		{
			name: "a message that can't be evaluated", p: gated("", program.Approval{Message: ex(`"${[1][step.a.x]}"`, "string", "step.a.x")}),
			play: []string{"start", "a/1 ok x=2"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				ok failed ExpressionFailed: message: "${[1][step.a.x]}": The given key does not identify an element in this collection value.
				b skipped UpstreamFailed: ok failed
				end failed StepsFailed: ok failed`,
		},
		{
			name: "it takes no place", limit: 1, p: pipeline(step("a"), step("b"), step("ok", asks("", program.Approval{})), step("or", asks("", program.Approval{}))),
			play: []string{"start", "approve or", "a/1 ok", "b/1 ok", "approve ok"},
			want: `> start
				ask ok: go?
				ask or: go?
				start a/1
				> approve or
				or succeeded: approved by eva
				> a/1 ok
				a succeeded
				start b/1
				> b/1 ok
				b succeeded
				> approve ok
				ok succeeded: approved by eva
				end succeeded`,
		},
		{
			name: "skipped by its condition", p: pipeline(step("ok", asks("bool", program.Approval{}, when("false", "bool"))),
				step("b", needs("soft", "ok"), inputOr("v", "bool", soft("step.ok.value"), "true"))),
			play: []string{"start", "approve ok true"},
			want: "> start\nok skipped ConditionFalse: its condition is false\nstart b/1 v=true\n> approve ok true",
		},
		{
			name: "each instance asks for itself", p: pipeline(step("ok", asks("number", program.Approval{Message: ref("each.key")}, func(s *program.Step) {
				s.ForEach = &program.ForEach{Type: "map(number)", Value: program.Value{Const: raw(`{"a/b":1,"c":2}`)}, MaxInstances: 9}
			})), step("b", needs("output", "ok"), input("v", "list(number)", ref("step.ok[*].value")))),
			play: []string{"start", "approve ok 1", `approve ok["c"] 3`, `approve ok["a/b"] 4`},
			want: `> start
				ask ok["a/b"]: a/b (number)
				ask ok["c"]: c (number)
				> approve ok 1
				> approve ok["c"] 3
				ok["c"] succeeded: approved by eva
				> approve ok["a/b"] 4
				ok["a/b"] succeeded: approved by eva
				ok succeeded
				start b/1 v=[4,3]`,
		},
		{
			name: "in a pipeline that is called in rounds", p: func() *program.Program {
				p := pipeline(step("c", output("n", "number"), func(s *program.Step) {
					until := ex("output.n > 1", "bool", "output.n")
					s.Command, s.Call, s.Repeat = nil, &program.Call{Pipeline: "q"}, &program.Repeat{Max: 3, Until: &until}
				}))
				p.Called = []program.Called{{Name: "q", OnFailure: "continue", Timeout: hour, Steps: []program.Step{step("ok", asks("number", program.Approval{}))},
					Outputs: []program.Result{{Name: "n", Type: "number", Value: ref("step.ok.value")}}}}
				return p
			}(),
			play: []string{"start", "approve c#1.ok 1", "approve c#2.ok 2"},
			want: `> start
				timer timeout/c#1 1h0m0s
				ask c#1.ok: go? (number)
				> approve c#1.ok 1
				c#1.ok succeeded: approved by eva
				c#1 succeeded
				timer timeout/c#2 1h0m0s
				ask c#2.ok: go? (number)
				> approve c#2.ok 2
				c#2.ok succeeded: approved by eva
				c#2 succeeded
				c succeeded
				end succeeded`,
		},
		{
			name: "cancelled, and once more in finally", p: finally(pipeline(step("ok", asks("", program.Approval{}))), step("z", asks("", program.Approval{}))),
			play: []string{"start", "cancel", "approve ok", "cancel"},
			want: `> start
				ask ok: go?
				> cancel
				ok cancelled Cancelled: the run was cancelled
				ask z: go?
				> approve ok
				> cancel
				z cancelled Cancelled: the run was cancelled twice
				end cancelled Cancelled`,
		},
		{
			name: "the run's timeout ends it", p: func() *program.Program { p := gated("", program.Approval{}); p.Timeout = hour; return p }(),
			play: []string{"start", "a/1 ok x=1", "timer timeout"},
			want: `> start
				timer timeout 1h0m0s
				start a/1
				> a/1 ok x=1
				a succeeded
				ask ok: go?
				> timer timeout
				b skipped Stopped: the run took longer than its timeout of 1h0m0s
				ok cancelled Cancelled: the run took longer than its timeout of 1h0m0s
				end timed_out RunTimeout: the run took longer than its timeout of 1h0m0s`,
		},
		{
			name: "on_failure stop waits for nobody", p: onFailure("stop", pipeline(step("a"), step("ok", asks("", program.Approval{})))),
			play: []string{"start", "a/1 fail 1"},
			want: `> start
				ask ok: go?
				start a/1
				> a/1 fail 1
				a failed Error
				ok cancelled Cancelled: a failed, and on_failure is stop
				end failed StepsFailed: a failed`,
		},
		{
			name: "a rejection may be no failure of the run", p: pipeline(step("ok", asks("", program.Approval{}), steadfast), step("b", needs("status", "ok"), input("r", "string", ref("step.ok.reason")))),
			play: []string{"start", "reject ok", "b/1 ok"},
			want: `> start
				ask ok: go?
				> reject ok
				ok failed Rejected: rejected by eva
				start b/1 r="Rejected"
				> b/1 ok
				b succeeded
				end succeeded`,
		},
		{
			name: "kept from the run before", run: func(r *record.Run) { r.Kept = []string{"ok"} },
			p:    pipeline(step("ok", asks("number", program.Approval{})), step("b", needs("output", "ok"), input("v", "number", ref("step.ok.value")))),
			play: []string{"start", "keep ok value=7"},
			want: "> start\n> keep ok value=7\nok succeeded kept from r0/2\nstart b/1 v=7",
		},
	})
}

// TestApprovalRecord is what the record of an approval says.
func TestApprovalRecord(t *testing.T) {
	long := strings.Repeat("ä", record.MaxMessage)
	sc := newScript(t, pipeline(step("ok", asks("number", program.Approval{Message: program.Value{Const: raw(`"` + long + `"`)}, Timeout: 60 * second, Default: raw("3")}))), newRun(), 0)
	sc.play("start")
	got := sc.s.Asks()
	if len(got) != 1 || got[0].Step != "ok" || len(got[0].Message) > record.MaxMessage || !strings.HasSuffix(got[0].Message, "ä…") || !got[0].Until.Equal(epoch.Add(time.Minute)) {
		t.Fatalf("asked: %.80v", got)
	}
	if s := sc.s.Steps()[0]; s.Status != record.Running || s.Ask == nil || s.Answer != nil || !s.StartedAt.Equal(epoch) {
		t.Fatalf("while it waits: %+v", s)
	}
	sc.play("+5s", "approve ok 4")
	s := sc.end.Steps[0]
	want := &record.Answer{By: "eva", Value: raw("4")}
	if s.Status != record.Succeeded || !reflect.DeepEqual(s.Answer, want) || s.Ask == nil || s.Attempts != 0 || s.ExitCode != nil || len(sc.s.Asks()) != 0 {
		t.Fatalf("at the end: %+v", s)
	}
}

// drawApproval makes an approval of a step, now and then.
func drawApproval(t *rapid.T, s *program.Step) {
	if rapid.IntRange(0, 5).Draw(t, "approval") > 0 {
		return
	}
	a := &program.Approval{Message: program.Value{Const: raw(`"go?"`)}, Timeout: program.Duration(rapid.IntRange(0, 2).Draw(t, "approval timeout")) * second}
	if a.Timeout > 0 && rapid.Bool().Draw(t, "approval default") {
		a.Default = raw("2")
	}
	s.Command, s.Cache, s.Retry, s.Inputs, s.Approval = nil, nil, program.Retry{}, nil, a
	if s.Repeat != nil { // as the compiler lets none pass; the engine takes it
		s.Repeat.Carry = nil
	}
	s.Outputs = []program.Output{{Name: "value", Type: "number"}}
}

// drawAnswer is what somebody says to an approval that asks for a number; it may be what can't be taken.
func drawAnswer(t *rapid.T) *record.Answer {
	return rapid.SampledFrom([]*record.Answer{
		{By: "eva", Value: raw("3")}, {Value: raw("4")}, {Reject: true}, {Value: raw(`"x"`)}, {}, nil,
	}).Draw(t, "answer")
}

// asked checks that an approval may ask, and asks once.
func (w *world) asked(a Ask) {
	last := ""
	w.mayStart(a.Step, &last)
	if w.asks[a.Step] || a.Message == "" {
		w.t.Fatalf("%s asks again, or nothing: %+v", a.Step, a)
	}
	w.asks[a.Step] = true
}
