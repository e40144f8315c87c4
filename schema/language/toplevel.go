package language

func project() *Block {
	return &Block{Name: "pipec", Single: true,
		Doc: "Settings of the project itself.",
		Attributes: []*Attribute{
			attr("project", Const, "string", "Names the project: what pipec applies to a cluster is bound to it, and only that is ever pruned.").required(),
			attr("lint", Const, "map(string)", "Levels of `pipec lint`'s rules, by code: `error`, `warning`, `note` or `off`: `{ no-timeout = \"off\" }`."),
		}}
}

func variable() *Block {
	return &Block{Name: "variable", Label: "name",
		Doc: "A value that is given when compiling: by `--var`, `--var-file`, `PIPEC_VAR_name`, `STACK.auto.vars` or `pipec.auto.vars`. It is read as `var.name`.",
		Attributes: []*Attribute{
			attr("type", Type, "", "The type of the value. Without it, the default's own type."),
			attr("default", Const, "any", "The value where none is given. Without it, one must be given."),
			attr("description", Const, "string", "What it is for."),
			attr("sensitive", Const, "bool", "Keeps the value out of everything that pipec writes: used in anything that would be, it is an error.").byDefault("false"),
		},
		Blocks: []*Block{{Name: "validation",
			Doc: "A rule that the value must keep.",
			Attributes: []*Attribute{
				attr("condition", Const, "bool", "True where the value is good. It may refer to the variable.").required(),
				attr("error_message", Const, "string", "What is said where it is not.").required(),
			}}}}
}

func locals() *Block {
	return &Block{Name: "locals", Free: true,
		Doc: "Names for values that are known when compiling. `x = …` is read as `local.x`. There may be several blocks."}
}

func image() *Block {
	return &Block{Name: "image", Label: "name",
		Doc: "The image of steps on a cluster, referred to as `image.name`. Without effect on the local orchestrator.",
		Attributes: []*Attribute{
			attr("base", Const, "string", "The image that it starts from."),
			attr("dockerfile", Const, "string", "A Dockerfile, relative to the project, instead of a base.").format("path"),
			attr("requirements", Const, "list(string)", "Python packages to install."),
			attr("packages", Const, "list(string)", "Packages of the base's own distribution to install."),
		}}
}

func code() *Block {
	return &Block{Name: "code", Label: "name",
		Doc: "A directory that is shipped to steps as an artifact, referred to as `code.name`, and unpacked as a step's working directory: no image build for a change of code.",
		Attributes: []*Attribute{
			attr("dir", Const, "string", "The directory, relative to the project.").required().format("path"),
			attr("exclude", Const, "list(string)", "Patterns of files to leave out, beside those that are always left out (`.git`, `__pycache__`, `.venv`, …)."),
		}}
}

func library() *Block {
	return &Block{Name: "library", Label: "name",
		Doc: "Pipelines of another directory, called as `library.name.pipeline`. It has its own variables and no stacks.",
		Attributes: []*Attribute{
			attr("source", Const, "string", "The directory, relative to that of the file: `./lib`, or `../shared/lib` beside the project.").required().format("path"),
			attr("vars", Const, "map(any)", "Values of its variables: `{ name = value }`. Nothing else gives them any: no environment, no file of variables."),
		}}
}

func pipeline() *Block {
	return &Block{Name: "pipeline", Label: "name",
		Doc: "A pipeline: steps, joined by references. The reference is the edge.",
		Attributes: []*Attribute{
			attr("description", Const, "string", "What it does."),
			attr("image", Ref, "string", "The image of its steps: `image.name`, or a string."),
			attr("code", Ref, "", "The code of its steps: `code.name`."),
			attr("on_failure", Const, "string", "What a failed step does to the rest: `continue` with independent branches, `stop` starting steps, or `abort` those that run too.").oneOf("continue", "stop", "abort").byDefault(`"continue"`),
			attr("max_parallel", Const, "number", "How many steps run at once.").byDefault("200"),
			duration("timeout", "", "How long a run may take in all."),
			attr("cache", Const, "bool", "The default of its steps' `cache`.").byDefault("false"),
			attr("labels", Const, "map(string)", "Labels of what is made for it."),
		},
		Blocks: []*Block{
			{Name: "schedule", Single: true,
				Doc: "Starts runs by the clock, on a cluster.",
				Attributes: []*Attribute{
					attr("cron", Const, "string", "Five fields: minute, hour, day of month, month, day of week.").required().format("cron"),
					attr("timezone", Const, "string", "An IANA time zone.").byDefault(`"UTC"`).format("timezone"),
					attr("overlap", Const, "string", "What is done where the last run is not over.").oneOf("allow", "forbid", "replace").byDefault(`"forbid"`),
					attr("suspend", Const, "bool", "Starts none for now.").byDefault("false"),
					duration("deadline", "", "How late a run may still be started, where the cluster could not in time; at least 10s. Without it, there is no bound.").since(cluster),
					attr("success_history", Const, "number", "How many succeeded runs' Jobs the cluster keeps.").byDefault("3").since(cluster),
					attr("failure_history", Const, "number", "How many failed ones.").byDefault("3").since(cluster),
					attr("params", Const, "map(any)", "Values of params."),
				}},
			{Name: "param", Label: "name",
				Doc: "A value or an artifact that a run is started with: `pipec run --param name=value`, `name=@FILE`, `name=run:RUN/STEP/OUTPUT`. It is read as `param.name`.",
				Attributes: []*Attribute{
					attr("type", Type, "", "The type of the value. Without it, the default's own type."),
					attr("default", Const, "any", "The value where none is given. Without it, one must be given."),
					attr("description", Const, "string", "What it is for."),
					attr("source", Const, "string", "Where an artifact is imported from when a run starts that isn't given one: `s3://BUCKET/KEY`, or a path of the project. A `directory` is all beneath a prefix, or a directory."),
				}},
			step("step", "A unit of work: a process with inputs and outputs. Exactly one of `command`, `python`, `pipeline` and `approval` says what it does."),
			step("finally", "A step that runs when all else has ended, whatever the outcome. It sees `run.status` and every `step.x.status`. If one fails, the run fails."),
			{Name: "output", Label: "name",
				Doc: "A result of the pipeline.",
				Attributes: []*Attribute{
					attr("value", Runtime, "any", "What it is.").required(),
					attr("type", Type, "", "The type it must have."),
					attr("description", Const, "string", "What it means."),
				}},
		}}
}
