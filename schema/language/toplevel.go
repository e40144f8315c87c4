package language

func project() *Block {
	return &Block{Name: "pipec", Single: true,
		Doc: "Settings of the project itself.",
		Attributes: []*Attribute{
			attr("project", Const, "string", "The project's name. What pipec applies to a cluster belongs to this project, and pipec prunes only objects of the project.").required(),
			attr("lint", Const, "map(string)", "Levels of `pipec lint`'s rules, by code: `error`, `warning`, `note` or `off`: `{ no-timeout = \"off\" }`."),
		}}
}

func variable() *Block {
	return &Block{Name: "variable", Label: "name",
		Doc: "A value that is set when compiling: by `--var`, `--var-file`, `PIPEC_VAR_name`, `STACK.auto.vars` or `pipec.auto.vars`. Files of variables that end in `.json`, such as `pipec.auto.vars.json`, are JSON. It is read as `var.name`.",
		Attributes: []*Attribute{
			attr("type", Type, "", "The type of the value. Default: the type of `default`."),
			attr("default", Const, "any", "The value if none is set. Without a default, a value is required.").null(),
			attr("description", Const, "string", "What the variable is for."),
			attr("sensitive", Const, "bool", "Keeps the value out of everything that pipec writes. It is an error to use it in anything that pipec would write.").byDefault("false"),
		},
		Blocks: []*Block{{Name: "validation",
			Doc: "A rule that the value must satisfy.",
			Attributes: []*Attribute{
				attr("condition", Const, "bool", "True if the value is valid. It may refer to the variable.").required(),
				attr("error_message", Const, "string", "The error message if the value is not valid.").required(),
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
			attr("context", Const, "string", "The directory that the Dockerfile can copy from, relative to the project. Files that `.dockerignore` names are left out. The default is the project's directory.").format("path"),
			attr("args", Const, "map(string)", "Build arguments: values of the Dockerfile's `ARG` instructions."),
			attr("target", Const, "string", "The stage of the Dockerfile to build, if it is not the last one."),
			attr("requirements", Const, "list(string)", "Python packages to install."),
			attr("packages", Const, "list(string)", "Packages of the base's own distribution to install."),
			attr("lock", Const, "string", "A file that states the exact Python packages, instead of `requirements`: a requirements file with hashes, `pylock.toml` or `uv.lock`.").format("path"),
			attr("index_url", Const, "string", "The package index, if it is not PyPI. Its credentials are taken from the netrc file."),
			attr("extra_index_urls", Const, "list(string)", "Further package indexes."),
			attr("find_links", Const, "list(string)", "Pages with links to wheels, or directories of wheels, relative to the project."),
			attr("platforms", Const, "list(string)", "The platforms that the image is built for, such as `linux/arm64`. The default is the base's platform, or `linux/amd64` if the base has several."),
		}}
}

func code() *Block {
	return &Block{Name: "code", Label: "name",
		Doc: "A directory that is shipped to steps as an artifact, referred to as `code.name`, and unpacked as a step's working directory: no image build for a change of code.",
		Attributes: []*Attribute{
			attr("dir", Const, "string", "The directory, relative to the project.").required().format("path"),
			attr("exclude", Const, "list(string)", "Patterns of files to leave out, beside those that `.gitignore` and `.pipecignore` files name, and those that are always left out (`.git`, `__pycache__`, `.venv`, …)."),
		}}
}

func library() *Block {
	return &Block{Name: "library", Label: "name",
		Doc: "Pipelines of another directory, called as `library.name.pipeline`. A library has variables of its own, and no stacks.",
		Attributes: []*Attribute{
			attr("source", Const, "string", "The directory, relative to the directory of the file: `./lib`, or `../shared/lib` beside the project.").required().format("path"),
			attr("vars", Const, "map(any)", "Values of its variables: `{ name = value }`. Nothing else sets them: neither the environment nor a file of variables."),
		}}
}

func pipeline() *Block {
	return &Block{Name: "pipeline", Label: "name",
		Doc: "A pipeline: steps that are connected by references. The reference is the edge.",
		Attributes: []*Attribute{
			attr("description", Const, "string", "What the pipeline does."),
			attr("image", Ref, "string", "The image of its steps: `image.name`, or a string."),
			attr("code", Ref, "", "The code of its steps: `code.name`."),
			attr("on_failure", Const, "string", "What happens if a step fails: `continue` with independent branches, `stop` starting steps, or also `abort` running steps.").oneOf("continue", "stop", "abort").byDefault(`"continue"`),
			attr("max_parallel", Const, "number", "How many steps run at once.").byDefault("200"),
			duration("timeout", "", "How long a run may take in total."),
			attr("cache", Const, "bool", "The default of its steps' `cache`.").byDefault("false"),
			attr("labels", Const, "map(string)", "Labels of the objects that pipec creates for the pipeline."),
			attr("outputs", Runtime, "map(any)", "The results by name: `{ accuracy = step.evaluate.accuracy }`. Each entry is short for an `output` block that has only a `value`. The map must be written out.").shortFor("output", "value"),
		},
		Blocks: []*Block{
			{Name: "schedule", Label: "name", Optional: true,
				Doc: "Starts runs on a schedule, on a cluster. A pipeline may have several, each with a name and its own `params`: `schedule \"nightly\" { … }`. The only one needs no name.",
				Attributes: []*Attribute{
					attr("cron", Const, "string", "Five fields: minute, hour, day of month, month, day of week.").required().format("cron"),
					attr("timezone", Const, "string", "An IANA time zone.").byDefault(`"UTC"`).format("timezone"),
					attr("overlap", Const, "string", "What to do if the last run of this schedule is still running.").oneOf("allow", "forbid", "replace").byDefault(`"forbid"`),
					attr("suspend", Const, "bool", "Suspends the schedule: no runs are started.").byDefault("false"),
					duration("deadline", "", "How late a run may still start if the cluster couldn't start it in time; at least 10s. Default: no limit.").since(cluster),
					attr("success_history", Const, "number", "How many succeeded runs' Jobs the cluster keeps.").byDefault("3").since(cluster),
					attr("failure_history", Const, "number", "How many failed runs' Jobs the cluster keeps.").byDefault("3").since(cluster),
					attr("params", Const, "map(any)", "Values of params. Each param without a default needs one in each schedule."),
				}},
			{Name: "param", Label: "name",
				Doc: "A value or an artifact that is set when a run starts: `pipec run --param name=value`, `name=@FILE`, `name=run:RUN/STEP/OUTPUT`. It is read as `param.name`.",
				Attributes: []*Attribute{
					attr("type", Type, "", "The type of the value. Default: the type of `default`."),
					attr("default", Const, "any", "The value if none is set. Without a default, a value is required.").null(),
					attr("description", Const, "string", "What the param is for."),
					attr("enum", Const, "list(any)", "The allowed values: `[\"small\", \"large\"]`."),
					attr("source", Const, "string", "Where an artifact is imported from if the run doesn't set one: `s3://BUCKET/KEY`, or a path of the project. A `directory` is everything below a prefix, or a directory."),
				},
				Blocks: []*Block{{Name: "validation",
					Doc: "A rule that the value must satisfy. It is checked when a run or a call starts, and when compiling if the value is known then.",
					Attributes: []*Attribute{
						attr("condition", Runtime, "bool", "True if the value is valid. It may refer to the param, and to no other.").required(),
						attr("error_message", Runtime, "string", "The error message if the value is not valid. It may refer to the param: `\"found ${param.n}\"`.").required(),
					}}}},
			defaults(),
			step("step", "A unit of work: a process with inputs and outputs. Exactly one of `command`, `python`, `script`, `pipeline` and `approval` defines what the step does."),
			step("finally", "A step that runs after all others have ended, whatever their outcome. It can read `run.status` and every `step.x.status`. If it fails, the run fails."),
			{Name: "output", Label: "name",
				Doc: "A result of the pipeline.",
				Attributes: []*Attribute{
					attr("value", Runtime, "any", "The value.").required(),
					attr("type", Type, "", "The required type."),
					attr("description", Const, "string", "What the result means."),
				}},
		}}
}
