package language

// approval is the block of a step without a process that waits for a person's answer.
func approval() *Block {
	return &Block{Name: "approval", Single: true,
		Doc: "Asks a person, and waits for the answer: `pipec approve RUN STEP`. The step has no process and no pod, doesn't count for `max_parallel`, and is never cached. " +
			"It succeeds when it is approved, and fails when it is rejected (`--reject`), with the reason `Rejected`. The run's records contain who answered, when, and why.",
		Attributes: []*Attribute{
			attr("message", Runtime, "string", "The question, such as `\"Promote ${step.train.accuracy}?\"`.").required(),
			attr("type", Type, "", "The type of the value that the approver sets with `--value`. Others read it as `step.x.value`. Default: no value, and the step has no output."),
			duration("timeout", "", "How long the step waits. Then the step is `timed_out`, or `default` is its value. Default: as long as the run may take."),
			attr("default", Const, "any", "The value if there is no answer in time. The step then succeeds, with the reason `Timeout`.").null(),
		}}
}
