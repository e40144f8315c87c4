package language

// concurrency is the place in a group that a step takes while it runs.
func concurrency() *Block {
	return &Block{Name: "concurrency", Single: true,
		Doc: "Lets at most `limit` attempts of a group run at once: those of all steps that name it, in all pipelines and runs of the project, on one machine or in one namespace. A call holds its place as long as the pipeline called takes.",
		Attributes: []*Attribute{
			attr("group", Const, "string", "The group's name: letters, digits, `-`, `_` and `.`, at most 63.").required(),
			attr("limit", Const, "number", "How many run at once, from 1 to 256. All steps of a group say the same.").byDefault("1"),
			attr("on_busy", Const, "string", "What is done where there are as many: wait, or skip the step.").oneOf("queue", "skip").byDefault(`"queue"`),
		}}
}
