package engine

import (
	"encoding/json"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// FuzzNext gives the engine any program and any events. It may refuse them, and must neither panic nor continue after
// the end.
func FuzzNext(f *testing.F) {
	p := finally(pipeline(
		step("a", output("x", "number"), cached, retry(program.Retry{Attempts: 2, Delay: second, Factor: 2, Within: 9 * second})),
		step("b", needs("output", "a"), input("x", "number", ref("step.a.x")), when("step.a.x > 1", "bool", "step.a.x")),
		step("c", needs("soft", "b"), inputOr("m", "list(model)", soft("step.b.m"), "null"))),
		step("f", needs("status", "a"), input("s", "string", ref("run.status"))))
	p.Params = []program.Param{{Name: "p", Type: "any", Default: raw("[1, null]")}}
	p.Outputs = []program.Result{{Name: "x", Type: "number", Value: ex("try(step.a.x, 1)", "number", "~step.a.x")}}
	prog, err := json.Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	for _, lines := range [][]string{
		{"start", "miss a", "a/1 fail 1", "timer retry/a/2", "a/2 ok x=2", "b/1 ok", "c/1 ok", "f/1 ok"},
		{"start", "hit a x=1", "cancel", "cancel", "f/1 cancelled"},
		{"keep a x=[@d]", "start", "b/1 nothing", "b/2 infra", "b/3 timed_out"},
	} {
		var events []record.Event
		for _, line := range lines {
			e, err := parseEvent(line)
			if err != nil {
				f.Fatal(err)
			}
			events = append(events, e)
		}
		data, err := json.Marshal(events)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(prog, []byte(`{"name":"r"}`), data)
	}
	f.Add([]byte(`{"steps":[{"name":"a","approval":{"message":{"const":"go?"},"timeout":"1h","default":2},"outputs":[{"name":"value","type":"number"}]},{"name":"b","approval":{"message":{"ref":"step.a.value"}},"for_each":{"value":{"const":[1,2]},"type":"list(number)","max_instances":9},"repeat":{"max":2},"needs":[{"step":"a","kind":"output"}]}]}`),
		[]byte(`{"name":"r"}`), []byte(`[{"type":"approval_given","step":"a","answer":{"value":1}},{"type":"approval_given","step":"b[0]#1","answer":{"reject":true}},{"type":"timer_fired","timer":"approval/a"}]`))
	f.Add([]byte(`{"steps":[{"name":"a","needs":[{"step":"b","kind":"order"}]},{"name":"b","needs":[{"step":"a","kind":"order"}]}]}`), []byte(`{}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, prog, run, events []byte) {
		var p program.Program
		var r record.Run
		var es []record.Event
		if json.Unmarshal(prog, &p) != nil || json.Unmarshal(run, &r) != nil || json.Unmarshal(events, &es) != nil {
			return
		}
		s, err := New(&p, &r, 2)
		if err != nil {
			return
		}
		ends := 0
		for _, e := range append([]record.Event{{Type: record.RunStarted}}, es...) {
			_, actions := Next(s, e)
			for i, a := range actions {
				if end, ok := a.(End); ok {
					ends++
					if end.Reason == record.ReasonInternal {
						t.Fatal(end.Message)
					}
					if i != len(actions)-1 {
						t.Fatal("the end is not the last action")
					}
				}
			}
		}
		if ends > 1 || (ends == 1) != s.Ended() {
			t.Fatalf("the run ended %d times", ends)
		}
	})
}
