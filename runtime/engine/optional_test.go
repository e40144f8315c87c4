package engine

import (
	"testing"

	"pipec.dev/pipec/schema/program"
)

// mayLeave is an output that a step may leave out.
func mayLeave(name, typ, def string) func(*program.Step) {
	return func(s *program.Step) {
		out := program.Output{Name: name, Type: typ, Optional: true}
		if def != "" {
			out.Default = raw(def)
		}
		s.Outputs = append(s.Outputs, out)
	}
}

func each(typ string, v program.Value) func(*program.Step) {
	return func(s *program.Step) { s.ForEach = &program.ForEach{Type: typ, Value: v, MaxInstances: 9} }
}

func TestOptionalOutputs(t *testing.T) {
	a := step("a", output("x", "number"), mayLeave("p", "image", ""), mayLeave("n", "number", "7"))
	testScenarios(t, []scenario{
		{
			name: "one that is there is as any other", p: pipeline(a, step("b", needs("output", "a"), input("p", "image", ref("step.a.p")))),
			play: []string{"start", "a/1 ok n=1 p=@d x=2", "b/1 ok"},
			want: `> start
				start a/1
				> a/1 ok n=1 p=@d x=2
				a succeeded
				start b/1 p=d
				> b/1 ok
				b succeeded
				end succeeded`,
		},
		{
			name: "one that isn't optional is wanted", p: pipeline(a), play: []string{"start", "a/1 ok p=@d"},
			want: `> start
				start a/1
				> a/1 ok p=@d
				a failed OutputMissing: the output x is not there
				end failed StepsFailed: a failed`,
		},
		{
			name: "a hard reference skips who reads it, and those behind, and says which output it was", p: outputs(pipeline(a,
				step("b", needs("output", "a"), input("p", "image", ref("step.a.p")), output("y", "number")),
				step("c", needs("output", "b"), input("y", "number", ref("step.b.y"))),
				step("d", needs("output", "a"), func(s *program.Step) { s.Command = []program.Value{ref("step.a.p")} }),
				step("e", needs("output", "a"), when("step.a.p != null", "bool", "step.a.p")),
				step("f", needs("output", "a"), each("list(any)", ex("[step.a.p]", "list(any)", "step.a.p"))),
			), program.Result{Name: "p", Type: "image", Value: ref("step.a.p")}, program.Result{Name: "x", Type: "number", Value: ref("step.a.x")}),
			play: []string{"start", "a/1 ok x=2"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				e skipped UpstreamSkipped: a has left out its output p
				f skipped UpstreamSkipped: a has left out its output p
				b skipped UpstreamSkipped: a has left out its output p
				c skipped UpstreamSkipped: b was skipped (a has left out its output p)
				d skipped UpstreamSkipped: a has left out its output p
				end succeeded x=2`,
		},
		{
			name: "a default, a soft reference, and an input with default", p: pipeline(a,
				step("b", needs("soft", "a"), input("n", "number", ref("step.a.n"))),
				step("c", needs("soft", "a"), inputOr("p", "image", ref("step.a.p"), "null")),
				step("d", needs("soft", "a"), input("s", "string", ex(`step.a.p == null ? "none" : "some"`, "string", "~step.a.p"))),
				step("e", needs("soft", "a"), when("coalesce(step.a.n, 0) > 7", "bool", "~step.a.n")),
			),
			play: []string{"start", "a/1 ok x=2"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				e skipped ConditionFalse: its condition is false
				start b/1 n=7
				start c/1 p=null
				start d/1 s="none"`,
		},
		{
			name: "the message of an input that comes to nothing", p: pipeline(a,
				step("b", needs("soft", "a"), input("p", "image", soft("step.a.p")))),
			play: []string{"start", "a/1 ok x=2"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				b failed InputInvalid: input "p": the value is null because a has left out its output p
				end failed StepsFailed: b failed`,
		},
		{
			name: "[*] leaves out those that have left it out, or reads their default", p: pipeline(
				step("a", each("list(number)", program.Value{Const: raw("[1,2,3]")}), mayLeave("m", "model", ""), mayLeave("n", "number", "7")),
				step("b", needs("output", "a"), input("m", "list(model)", ref("step.a[*].m")), input("n", "list(number)", ref("step.a[*].n")))),
			play: []string{"start", "a[0]/1 ok m=@d", "a[1]/1 ok n=5", "a[2]/1 ok m=@e n=6"},
			want: `> start
				start a[0]/1
				start a[1]/1
				start a[2]/1
				> a[0]/1 ok m=@d
				a[0] succeeded
				> a[1]/1 ok n=5
				a[1] succeeded
				> a[2]/1 ok m=@e n=6
				a[2] succeeded
				a succeeded
				start b/1 m=[=d =e] n=[7,5,6]`,
		},
		{
			name: "of an instance, all outputs together", p: pipeline(
				step("a", each("list(number)", program.Value{Const: raw("[1]")}), mayLeave("m", "number", ""), output("n", "number")),
				step("b", needs("output", "a"), input("o", "any", ref("step.a[0]")))),
			play: []string{"start", "a[0]/1 ok n=5"},
			want: `> start
				start a[0]/1
				> a[0]/1 ok n=5
				a[0] succeeded
				a succeeded
				start b/1 o={"m":null,"n":5}`,
		},
		{
			name: "a kept and a cached result without it", p: func() *program.Program {
				s := step("a", mayLeave("p", "image", ""), output("x", "number"))
				s.Cache = &program.Cache{}
				return pipeline(s)
			}(),
			play: []string{"start", "hit a x=1"},
			want: `> start
				check a/1
				> hit a x=1
				a succeeded cached from r0/2
				end succeeded`,
		},
		{
			name: "rounds", p: pipeline(func() program.Step {
				s := step("a", inputOr("m", "any", program.Value{Const: raw("1")}, "0"), mayLeave("m", "number", ""), output("x", "number"))
				until := ex("output.m != null", "bool", "output.m")
				s.Repeat = &program.Repeat{Max: 5, Until: &until, Carry: []program.Carry{{Name: "m", Value: ref("output.m")}}}
				return s
			}()),
			play: []string{"start", "a#1/1 ok x=1", "a#2/1 ok m=3 x=1"},
			want: `> start
				start a#1/1 m=1
				> a#1/1 ok x=1
				a#1 succeeded
				start a#2/1 m=0
				> a#2/1 ok m=3 x=1
				a#2 succeeded
				a succeeded
				end succeeded`,
		},
		{
			name: "a round that leaves out what is carried", p: pipeline(func() program.Step {
				s := step("a", input("m", "number", program.Value{Const: raw("1")}), mayLeave("m", "number", ""))
				s.Repeat = &program.Repeat{Max: 5, Carry: []program.Carry{{Name: "m", Value: ref("output.m")}}}
				return s
			}()),
			play: []string{"start", "a#1/1 ok"},
			want: `> start
				start a#1/1 m=1
				> a#1/1 ok
				a#1 succeeded
				a failed ExpressionFailed: repeat.carry "m": the value is null (a#1 has left out its output m)
				end failed StepsFailed: a failed`,
		},
	})
}
