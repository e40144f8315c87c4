package engine

import (
	"encoding/json"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func finally(p *program.Program, steps ...program.Step) *program.Program {
	p.Finally = steps
	return p
}

func onFailure(mode string, p *program.Program) *program.Program {
	p.OnFailure = mode
	return p
}

func outputs(p *program.Program, rs ...program.Result) *program.Program {
	p.Outputs = rs
	return p
}

func TestStarts(t *testing.T) {
	testScenarios(t, []scenario{
		{
			name: "no steps", p: pipeline(), play: []string{"start", "start"},
			want: "> start\nend succeeded\n> start",
		},
		{
			name: "in order of name, as many as there is room for", limit: 2,
			p:    pipeline(step("c"), step("a"), step("b")),
			play: []string{"start", "b/1 ok", "a/1 ok", "c/1 ok"},
			want: `> start
				start a/1
				start b/1
				> b/1 ok
				b succeeded
				start c/1
				> a/1 ok
				a succeeded
				> c/1 ok
				c succeeded
				end succeeded`,
		},
		{
			name: "the program's own bound", limit: 5,
			p:    func() *program.Program { p := pipeline(step("a"), step("b")); p.MaxParallel = 1; return p }(),
			play: []string{"start"},
			want: "> start\nstart a/1",
		},
		{
			name: "values flow", p: outputs(pipeline(
				step("a", output("x", "number"), output("m", "model")),
				step("b", needs("output", "a"), input("m", "file", ref("step.a.m")), input("n", "number", ref("step.a.x")),
					input("y", "string", ex(`"x is ${step.a.x + 1}"`, "string", "step.a.x")))),
				program.Result{Name: "x", Type: "number", Value: ref("step.a.x")}, program.Result{Name: "z", Type: "model", Value: ref("step.a.m")}),
			play: []string{"start", "a/1 ok x=2 m=@d", "b/1 ok"},
			want: `> start
				start a/1
				> a/1 ok x=2 m=@d
				a succeeded
				start b/1 m=d n=2 y="x is 3"
				> b/1 ok
				b succeeded
				end succeeded x=2 z=d`,
		},
		{
			name: "lists of artifacts", p: pipeline(
				step("a", output("m", "model"), output("l", "list(model)")),
				step("b", needs("output", "a"), input("all", "list(model)", ex("[step.a.m, step.a.l[1]]", "any", "step.a.l", "step.a.m")),
					input("l", "list(model)", ref("step.a.l")))),
			play: []string{"start", "a/1 ok m=@d l=[@e,@f]"},
			want: `> start
				start a/1
				> a/1 ok m=@d l=[@e,@f]
				a succeeded
				start b/1 all=[=d =f] l=[=e =f]`,
		},
		{
			name: "a list of artifacts that is one directory passes whole", p: pipeline(
				step("a", output("l", "list(model)")),
				step("b", needs("output", "a"), input("l", "list(model)", ref("step.a.l")),
					input("m", "list(model)", ex("coalesce(step.a.l)", "list(model)", "step.a.l")))),
			play: []string{"start", "a/1 ok l=@d"},
			want: "> start\nstart a/1\n> a/1 ok l=@d\na succeeded\nstart b/1 l=d m=d",
		},
		{
			name: "command and env read values", run: func(r *record.Run) { r.Params = map[string]json.RawMessage{"p": raw(`"v"`)} },
			p: func() *program.Program {
				s := step("b", needs("output", "a"))
				s.Command = []program.Value{ref("input.x"), ref("param.p"), ex(`"${step.a.x}-${output.y.path}"`, "string", "output.y", "step.a.x")}
				s.Env = []program.Env{{Name: "N", Value: ref("run.name")}, {Name: "AT", Value: ref("run.scheduled_at")}, {Name: "C", Value: ref("step.a.exit_code")}}
				p := pipeline(step("a", output("x", "number")), s)
				p.Params = []program.Param{{Name: "p", Type: "string"}}
				return p
			}(),
			play: []string{"start", "a/1 ok x=2"},
			want: `> start
				start a/1
				> a/1 ok x=2
				a succeeded
				start b/1 refs={"param.p":"v","run.name":"r1","run.scheduled_at":null,"step.a.exit_code":0,"step.a.x":2}`,
		},
		{
			name: "an artifact has no place in a command", p: pipeline(step("a", output("m", "model")), func() program.Step {
				s := step("b", needs("output", "a"))
				s.Command = []program.Value{ref("step.a.m")}
				return s
			}()),
			play: []string{"start", "a/1 ok m=@d"},
			want: `> start
				start a/1
				> a/1 ok m=@d
				a succeeded
				b failed ExpressionFailed: step.a.m is an artifact: only an input of the step gives it a path
				end failed StepsFailed: b failed`,
		},
		{
			name: "scheduled_at", run: func(r *record.Run) { at := epoch; r.ScheduledAt = &at },
			p:    pipeline(step("a", input("at", "string", ref("run.scheduled_at")))),
			play: []string{"start"},
			want: `> start
				start a/1 at="2026-01-02T03:04:05Z"`,
		},
		{
			name: "only some steps", run: func(r *record.Run) { r.Only = []string{"a", "b"} },
			p: outputs(finally(pipeline(step("a", output("x", "number")), step("b", needs("output", "a")), step("c", output("x", "number"))), step("f")),
				program.Result{Name: "x", Type: "number", Value: ref("step.a.x")}, program.Result{Name: "y", Type: "number", Value: ref("step.c.x")}),
			play: []string{"start", "a/1 ok x=1", "b/1 ok"},
			want: `> start
				start a/1
				> a/1 ok x=1
				a succeeded
				start b/1
				> b/1 ok
				b succeeded
				end succeeded x=1`,
		},
		{
			name: "what does not fit is passed over", p: pipeline(step("a"), step("b", needs("order", "a"))),
			play: []string{"a/1 ok", "start", "zz/1 ok", "a/2 ok", "b/1 ok", "timer x", "timer timeout", "miss a", "keep zz x", "hit a x=1", "a/1 ok", "a/1 ok", "b/1 ok", "cancel"},
			want: `> a/1 ok
				> start
				start a/1
				> zz/1 ok
				> a/2 ok
				> b/1 ok
				> timer x
				> timer timeout
				> miss a
				> keep zz x
				> hit a x=1
				> a/1 ok
				a succeeded
				start b/1
				> a/1 ok
				> b/1 ok
				b succeeded
				end succeeded
				> cancel`,
		},
	})
}

func TestSkips(t *testing.T) {
	big := func() program.Step {
		return step("big", needs("output", "a"), when("step.a.x > 3", "bool", "step.a.x"), output("y", "number"), outputOr("z", "number", "7"))
	}
	a := step("a", output("x", "number"))
	testScenarios(t, []scenario{
		{
			name: "failure", p: outputs(pipeline(a, step("b", needs("output", "a")), step("c", needs("order", "b")), step("d", needs("order", "c"))),
				program.Result{Name: "x", Type: "number", Value: ref("step.a.x")}),
			play: []string{"start", "a/1 fail 2"},
			want: `> start
				start a/1
				> a/1 fail 2
				a failed Error
				b skipped UpstreamFailed: a failed
				c skipped UpstreamSkipped: b was skipped (a failed)
				d skipped UpstreamSkipped: c was skipped (a failed)
				end failed StepsFailed: a failed`,
		},
		{
			name: "condition false", p: pipeline(a, big(), step("c", needs("output", "big")), step("d", needs("output", "c"))),
			play: []string{"start", "a/1 ok x=1"},
			want: `> start
				start a/1
				> a/1 ok x=1
				a succeeded
				big skipped ConditionFalse: its condition is false
				c skipped UpstreamSkipped: big was skipped (its condition is false)
				d skipped UpstreamSkipped: c was skipped (the condition of big is false)
				end succeeded`,
		},
		{
			name: "condition true", p: pipeline(a, big()), play: []string{"start", "a/1 ok x=4"},
			want: "> start\nstart a/1\n> a/1 ok x=4\na succeeded\nstart big/1",
		},
		{
			name: "a failed need is named before a skipped one",
			p:    pipeline(step("a", when("false", "bool")), step("b"), step("c", needs("output", "a", "b"))),
			play: []string{"start", "b/1 timed_out"},
			want: `> start
				a skipped ConditionFalse: its condition is false
				start b/1
				> b/1 timed_out
				b timed_out Timeout
				c skipped UpstreamFailed: b timed out
				end failed StepsFailed: b timed out`,
		},
		{
			name: "soft references read null or their default",
			p: outputs(pipeline(a, big(), step("c", needs("soft", "big"),
				input("c", "number", ex("coalesce(step.big.y, 5)", "number", "~step.big.y")),
				inputOr("d", "number", soft("step.big.y"), "6"),
				inputOr("e", "number", ex("step.big.y + 1", "number", "~step.big.y"), "8"),
				inputOr("n", "number", soft("step.big.y"), "null"),
				input("z", "number", soft("step.big.z")))),
				program.Result{Name: "y", Type: "number", Value: ref("step.big.y")}, program.Result{Name: "z", Type: "number", Value: ref("step.big.z")},
				program.Result{Name: "w", Type: "number", Value: ex("try(step.big.y, 4)", "number", "~step.big.y")}),
			play: []string{"start", "a/1 ok x=1", "c/1 ok"},
			want: `> start
				start a/1
				> a/1 ok x=1
				a succeeded
				big skipped ConditionFalse: its condition is false
				start c/1 c=5 d=6 e=8 n=null z=7
				> c/1 ok
				c succeeded
				end succeeded z=7 w=4`,
		},
		{
			name: "a null without a default", p: pipeline(step("a", when("false", "bool"), output("x", "number")),
				step("b", needs("soft", "a"), input("i", "number", soft("step.a.x"))),
				step("c", needs("soft", "a"), input("i", "number", ex("coalesce(step.a.x)", "number", "~step.a.x")))),
			play: []string{"start"},
			want: `> start
				a skipped ConditionFalse: its condition is false
				b failed InputInvalid: input "i": the value is null because a was skipped (its condition is false)
				c failed ExpressionFailed: input "i": coalesce(step.a.x): Call to function "coalesce" failed: every argument is null. (a was skipped (its condition is false))
				end failed StepsFailed: b failed, c failed`,
		},
		{
			name: "a soft need does not excuse a failure", p: pipeline(a, step("b", needs("soft", "a"), inputOr("i", "number", soft("step.a.x"), "1"))),
			play: []string{"start", "a/1 fail 1"},
			want: "> start\nstart a/1\n> a/1 fail 1\na failed Error\nb skipped UpstreamFailed: a failed\nend failed StepsFailed: a failed",
		},
		{
			name: "status lifts the requirement", p: pipeline(a, step("b", needs("status", "a"), when(`step.a.status == "failed" && step.a.exit_code == 9`, "bool", "step.a.exit_code", "step.a.status"))),
			play: []string{"start", "a/1 fail 9", "b/1 ok"},
			want: "> start\nstart a/1\n> a/1 fail 9\na failed Error\nstart b/1\n> b/1 ok\nb succeeded\nend failed StepsFailed: a failed",
		},
		{
			name: "continue_on_failure", p: outputs(pipeline(step("a", steadfast, output("x", "number")), step("b", needs("order", "a")), step("c", needs("output", "a"))),
				program.Result{Name: "x", Type: "number", Value: ex("try(step.a.x, 4)", "number", "~step.a.x")}),
			play: []string{"start", "a/1 fail 1", "b/1 ok"},
			want: `> start
				start a/1
				> a/1 fail 1
				a failed Error
				c skipped UpstreamFailed: a failed
				start b/1
				> b/1 ok
				b succeeded
				end succeeded`,
		},
		{
			name: "an expression fails", p: pipeline(a, step("b", needs("output", "a"), when("step.a.x == [1][5]", "bool", "step.a.x"))),
			play: []string{"start", "a/1 ok x=1"},
			want: `> start
				start a/1
				> a/1 ok x=1
				a succeeded
				b failed ExpressionFailed: when: step.a.x == [1][5]: The given key does not identify an element in this collection value.
				end failed StepsFailed: b failed`,
		},
		{
			name: "an input of another type", p: pipeline(step("a", output("x", "any")), step("b", needs("output", "a"), input("i", "number", ref("step.a.x")))),
			play: []string{"start", `a/1 ok x="secret"`},
			want: `> start
				start a/1
				> a/1 ok x="secret"
				a succeeded
				b failed InputInvalid: input "i": string doesn't fit number: tonumber(…) reads a number from text
				end failed StepsFailed: b failed`,
		},
		{
			name: "an output of the pipeline can't be evaluated", p: outputs(pipeline(a), program.Result{Name: "y", Type: "number", Value: ex("[1][step.a.x]", "number", "step.a.x")}),
			play: []string{"start", "a/1 ok x=3"},
			want: `> start
				start a/1
				> a/1 ok x=3
				a succeeded
				end failed OutputFailed: output "y": [1][step.a.x]: The given key does not identify an element in this collection value.`,
		},
		{
			name: "an output is missing", p: pipeline(a), play: []string{"start", "a/1 ok"},
			want: "> start\nstart a/1\n> a/1 ok\na failed OutputMissing: the output x is not there\nend failed StepsFailed: a failed",
		},
	})
}
