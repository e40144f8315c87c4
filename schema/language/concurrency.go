package language

// concurrency is the slot of a group that a step holds while it runs.
func concurrency() *Block {
	return &Block{Name: "concurrency", Single: true,
		Doc: "Lets at most `limit` attempts of a group run at once: those of all steps that name the group, in all pipelines and runs of the project, on one machine or in one namespace. A call holds its slot until the called pipeline ends.",
		Attributes: []*Attribute{
			attr("group", Const, "string", "The group's name: letters, digits, `-`, `_` and `.`, at most 63.").required(),
			attr("limit", Const, "number", "How many attempts run at once, from 1 to 256. All steps of a group must set the same limit.").byDefault("1"),
			attr("on_busy", Const, "string", "What to do if all slots are taken: wait, or skip the step.").oneOf("queue", "skip").byDefault(`"queue"`),
		}}
}
