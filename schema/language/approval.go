package language

// approval is what a step without a process does: it asks, and waits for an answer.
func approval() *Block {
	return &Block{Name: "approval", Single: true,
		Doc: "Asks somebody, and waits for the answer: `pipec approve RUN STEP`. The step has no process: it takes no pod and no place of `max_parallel`, and is never cached. " +
			"It succeeds when it is approved, and fails when it is rejected (`--reject`), with the reason `Rejected`. Who answered, when, and why stand in the run's records.",
		Attributes: []*Attribute{
			attr("message", Runtime, "string", "What is asked, such as `\"Promote ${step.train.accuracy}?\"`.").required(),
			attr("type", Type, "", "The type of the value that the approver gives, with `--value`. Others read it as `step.x.value`. Without it, approving is all there is, and the step has no output."),
			duration("timeout", "", "How long it waits. Then the step is `timed_out`, or `default` is its value. Without it, it waits as long as the run may take."),
			attr("default", Const, "any", "The value when nobody has answered in time: the step then succeeds, with the reason `Timeout`."),
		}}
}
