package language

// Tests returns the top of a file of tests, *.pipec-test.hcl or *.pipec-test.yaml.
func Tests() *Block {
	return &Block{Name: "", Blocks: []*Block{test()},
		Doc: "`pipec test` reads every `*.pipec-test.hcl` and `*.pipec-test.yaml` beside the pipelines."}
}

func test() *Block {
	return &Block{Name: "test", Label: "name", AnyLabel: true,
		Doc: "A run without processes: the test declares the results of the steps, and asserts what follows from them.",
		Attributes: []*Attribute{
			attr("pipeline", Const, "string", "The pipeline that is run. Default: the only one."),
			attr("params", Const, "map(any)", "Values of params. An artifact param needs no value."),
			attr("scheduled_at", Const, "string", "The value of `run.scheduled_at`, as in `2026-01-31T06:00:00Z`. Default: the start of the run, as for a run that a person starts."),
			duration("cancel_after", "", "When the run is cancelled, after its start. Default: never."),
		},
		Blocks: []*Block{
			{Name: "mock", Label: "step", AnyLabel: true,
				Doc:        "The result of a step: `mock \"train\" { … }`. The label is a step, or the address of a part of one: `fan[\"a\"]`, `fan[0]`, `refine#2`, `call.train`. The most exact one counts. A step without a mock succeeds with the outputs 0, \"\", false and empty.",
				Attributes: outcome("the step", attr("cached", Const, "bool", "Whether an earlier run has the result. Only for a step with `cache`.").byDefault("false")),
				Blocks: []*Block{{Name: "attempt",
					Doc:        "The result of one attempt. The first block is that of the first attempt, and so on. Attempts after the last block have the result that the mock itself declares.",
					Attributes: outcome("the attempt"),
				}}},
			{Name: "answer", Label: "step", AnyLabel: true,
				Doc: "The answer to an approval. An approval without one waits until its `timeout`.",
				Attributes: []*Attribute{
					attr("value", Const, "any", "The value, if the approval has a `type`."),
					attr("reject", Const, "bool", "Rejects it.").byDefault("false"),
					attr("reason", Const, "string", "Why."),
					duration("after", `"1s"`, "How long after the request the answer comes."),
				}},
			{Name: "last_success", Label: "pipeline", AnyLabel: true,
				Doc: "The outputs of the newest run of a pipeline that succeeded, for `last_success`. Default: there is none.",
				Attributes: []*Attribute{
					attr("outputs", Const, "map(any)", "The values of its outputs, by name.").required(),
				}},
			{Name: "assert",
				Doc: "What must be true at the end.",
				Attributes: []*Attribute{
					attr("condition", Runtime, "bool", "It reads `step.NAME` with outputs, `status`, `reason`, `message`, `exit_code`, `attempts`, `cached`, `start` and `end` (seconds after the start of the run), `run.status`, `run.reason`, `run.message`, `run.duration`, `run.order`, `output.NAME` and `param.NAME`.").required(),
					attr("error_message", Runtime, "string", "The message if it is false."),
				}},
		}}
}

// outcome returns the attributes of the result of a step or an attempt.
func outcome(of string, more ...*Attribute) []*Attribute {
	return append([]*Attribute{
		attr("outputs", Runtime, "map(any)", "The values of outputs, by name. They may read `input.NAME`, `param.NAME`, `each.key`, `attempt` and `round`. An artifact needs no value; `null` leaves an optional output out."),
		attr("status", Const, "string", "How "+of+" ends.").oneOf("succeeded", "failed", "timed_out").byDefault(`"succeeded"`),
		attr("exit_code", Const, "number", "The exit code of the process. One other than 0 makes the status `failed`. Default: 1 if the status is `failed`."),
		attr("reason", Const, "string", "The reason of a failure. Default: `Error`, or `Timeout`. `OOMKilled` is a process that ran out of memory."),
		attr("message", Const, "string", "The message of a failure."),
		attr("infrastructure", Const, "bool", "Whether the cluster caused the failure, which doesn't count against `retry.attempts`.").byDefault("false"),
		duration("duration", `"1s"`, "How long an attempt takes. If this is longer than the step's `timeout`, the attempt times out."),
	}, more...)
}
