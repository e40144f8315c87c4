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
		Doc: "A value that is set when compiling: by `--var`, `--var-file`, `PIPEC_VAR_name`, `STACK.auto.vars` or `pipec.auto.vars`. It is read as `var.name`.",
		Attributes: []*Attribute{
			attr("type", Type, "", "The type of the value. Default: the type of `default`."),
			attr("default", Const, "any", "The value if none is set. Without a default, a value is required."),
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

func stack() *Block {
	return &Block{Name: "stack", Label: "name",
		Doc: "Where pipelines run, and where artifacts and images live. Of its attributes, `\"\"` is as if left out: a variable may fill in what one cluster needs and another does not. It is chosen by `--stack`, `PIPEC_STACK` or `pipec stack use`; the only one needs no choosing. Without any, a local one is implied.",
		Attributes: []*Attribute{
			attr("secrets_file", Const, "string", "A file of `SECRET_KEY=value` lines for `secret_env` on the local orchestrator.").format("path"),
		},
		Blocks: []*Block{
			{Name: "orchestrator", Label: "kind", Labels: []string{"local", "kubernetes"}, Single: true,
				Doc: "What runs the steps: `local`, processes on this machine; `kubernetes`, pods of a cluster.",
				Attributes: []*Attribute{
					attr("parallel", Const, "number", "How many processes run at once. 0 means as many as the machine has cores.").only("local").byDefault("0"),
					attr("python", Const, "string", "The interpreter of `python` steps; `PIPEC_PYTHON` is stronger. Without either: the project's `.venv`, `VIRTUAL_ENV`, `python3` in `PATH`.").only("local"),
					attr("context", Const, "string", "A context of the kubeconfig.").only("kubernetes"),
					attr("eks_cluster", Const, "string", "The name of an EKS cluster, instead of a context.").only("kubernetes"),
					attr("in_cluster", Const, "bool", "pipec itself runs in the cluster.").only("kubernetes").byDefault("false"),
					attr("namespace", Const, "string", "The namespace of all objects.").only("kubernetes").byDefault(`"default"`),
					attr("synchronous", Const, "bool", "`run` waits for the end and streams the logs of all pods.").only("kubernetes").byDefault("false"),
					attr("create_namespace", Const, "bool", "`apply` makes the namespace where it is missing.").only("kubernetes").byDefault("false").since(cluster),
					attr("kubernetes_version", Const, "string", "The cluster's version, such as `\"1.36\"`, where the compiler can't ask it.").only("kubernetes").since(cluster),
					attr("wrapper", Const, "string", "How pipec's agent gets into the pod of a step: `image`, a volume of its image; `init`, an init container that copies it; `included`, not at all: the images of all steps have it, as `/pipec-agent/pipec-agent`; `auto`, the first from Kubernetes 1.36 on, else the second.").only("kubernetes").oneOf("auto", "image", "init", "included").byDefault(`"auto"`).since(cluster),
					attr("store_grace", Const, "string", "How long a step tries to reach the store, outside of its timeout.").only("kubernetes").format("duration").byDefault(`"15m"`).since(cluster),
					attr("on_lost_node", Const, "string", "What becomes of a step on a node that can't be reached: `wait` until the node is back or gone, or `retry_after(10m)`, which may for a while run the step twice.").only("kubernetes").byDefault(`"wait"`).since(cluster),
				}},
			{Name: "artifact_store", Label: "kind", Labels: []string{"local", "s3"}, Single: true,
				Doc: "Where artifacts and records are kept.",
				Attributes: []*Attribute{
					attr("path", Const, "string", "`local`: a directory, relative to the project. `s3`: `s3://bucket/prefix`.").required(),
					attr("region", Const, "string", "The bucket's region. Without it, what AWS's own settings say.").only("s3").since(cluster),
					attr("endpoint", Const, "string", "The address of an S3 server that is not AWS: `https://HOST:PORT`.").only("s3").since(cluster),
					attr("path_style", Const, "bool", "The bucket is part of the path, not of the host name.").only("s3").byDefault("false").since(cluster),
					attr("secret", Const, "string", "The Secret of the namespace that holds `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` for pods. Without it, pods have the credentials of their service account or node.").only("s3").since(cluster),
					attr("role", Const, "string", "The ARN of the IAM role that pods take by their service account.").only("s3").since(cluster),
				}},
			{Name: "container_registry", Label: "kind", Labels: []string{"ecr", "generic"}, Single: true,
				Doc: "Where images are kept.",
				Attributes: []*Attribute{
					attr("uri", Const, "string", "The registry's host, and a prefix.").required(),
				}},
		}}
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
		},
		Blocks: []*Block{
			{Name: "schedule", Single: true,
				Doc: "Starts runs on a schedule, on a cluster.",
				Attributes: []*Attribute{
					attr("cron", Const, "string", "Five fields: minute, hour, day of month, month, day of week.").required().format("cron"),
					attr("timezone", Const, "string", "An IANA time zone.").byDefault(`"UTC"`).format("timezone"),
					attr("overlap", Const, "string", "What to do if the last run is still running.").oneOf("allow", "forbid", "replace").byDefault(`"forbid"`),
					attr("suspend", Const, "bool", "Suspends the schedule: no runs are started.").byDefault("false"),
					duration("deadline", "", "How late a run may still start if the cluster couldn't start it in time; at least 10s. Default: no limit.").since(cluster),
					attr("success_history", Const, "number", "How many succeeded runs' Jobs the cluster keeps.").byDefault("3").since(cluster),
					attr("failure_history", Const, "number", "How many failed runs' Jobs the cluster keeps.").byDefault("3").since(cluster),
					attr("params", Const, "map(any)", "Values of params."),
				}},
			{Name: "param", Label: "name",
				Doc: "A value or an artifact that is set when a run starts: `pipec run --param name=value`, `name=@FILE`, `name=run:RUN/STEP/OUTPUT`. It is read as `param.name`.",
				Attributes: []*Attribute{
					attr("type", Type, "", "The type of the value. Default: the type of `default`."),
					attr("default", Const, "any", "The value if none is set. Without a default, a value is required."),
					attr("description", Const, "string", "What the param is for."),
					attr("source", Const, "string", "Where an artifact is imported from if the run doesn't set one: `s3://BUCKET/KEY`, or a path of the project. A `directory` is everything below a prefix, or a directory."),
				}},
			step("step", "A unit of work: a process with inputs and outputs. Exactly one of `command`, `python`, `pipeline` and `approval` defines what the step does."),
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
