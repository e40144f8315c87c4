package language

func step(name, doc string) *Block {
	out := &Block{Name: name, Label: "name", Doc: doc, Attributes: stepAttributes(), Blocks: stepBlocks()}
	for _, name := range []string{"image", "node_selector", "service_account", "labels", "annotations", "pod"} {
		out.Attribute(name).Each = true
	}
	for _, a := range podAttributes() {
		out.Attribute(a.Name).Each = true
	}
	for _, name := range []string{"secret_env", "resources", "security"} {
		perInstance(out.Block(name))
	}
	for _, b := range podBlocks() {
		perInstance(out.Block(b.Name))
	}
	return out
}

// perInstance lets all in a block be another for each instance: pods are made when compiling, and one for each.
func perInstance(b *Block) {
	for _, a := range b.Attributes {
		a.Each = true
	}
}

func stepAttributes() []*Attribute {
	return append([]*Attribute{
		attr("description", Const, "string", "What it does."),
		attr("command", Own, "list(string)", "The process and its arguments. No shell is started unless one is named."),
		attr("python", Const, "string", "`module:function`: an ordinary function, whose parameters are the inputs by name and whose result is the outputs."),
		attr("pipeline", Ref, "", "A pipeline to call: `pipeline.name`, or `library.l.name`. Its params are the step's inputs, and its outputs the step's."),
		attr("image", Ref, "string", "The image: `image.name`, or a string. Without it, the pipeline's."),
		attr("code", Ref, "", "The code that is its working directory: `code.name`. Without it, the pipeline's."),
		attr("when", Runtime, "bool", "Whether it runs, asked when all that it needs has ended. Mentioning `step.x.status` lifts the requirement that x has succeeded."),
		attr("depends_on", Refs, "", "Steps that must have succeeded, beside those that it refers to: `[step.a, step.b]`."),
		attr("for_each", Runtime, "any", "Makes an instance for each element of a list, a set of strings or a map, which read it as `each.key` and `each.value`. Others read `step.x[*].y`, `step.x[each.key].y` or `step.x[\"key\"].y`."),
		attr("max_parallel", Const, "number", "How many instances run at once. Without it, as many as the pipeline's `max_parallel`."),
		attr("max_instances", Const, "number", "How many instances there may be: with more elements, the step fails.").byDefault("10000"),
		attr("env", Own, "map(string)", "Variables of the environment."),
		duration("timeout", "", "How long an attempt may take, from the start of the process."),
		duration("pending_timeout", "", "How long a pod may wait to start."),
		duration("grace", `"30s"`, "How long the process has to end after SIGTERM, before SIGKILL."),
		attr("cache", Const, "bool", "Takes the outputs of an earlier run of the same command, code and inputs. See also the block.").byDefault("false"),
		attr("continue_on_failure", Const, "bool", "The run can succeed in spite of this step.").byDefault("false"),
		attr("node_selector", Const, "map(string)", "Labels that the node must have. Without effect on the local orchestrator, as all that is about pods."),
		attr("service_account", Const, "string", "The service account of the pod."),
		attr("labels", Const, "map(string)", "Labels of the pod."),
		attr("annotations", Const, "map(string)", "Annotations of the pod."),
		attr("pod", Const, "any", "A strategic merge over the pod's spec, for what has no attribute of its own: `{ priorityClassName = \"batch\" }`. The step's container is `main`. It is checked against Kubernetes' own types.").since(cluster),
	}, podAttributes()...)
}

func stepBlocks() []*Block {
	return append([]*Block{
		{Name: "input", Label: "name",
			Doc: "What the step is given: a file at `/pipec/inputs/name`, and a parameter of a python function. Its own `command` and `env` read it as `input.name` (a value) or `input.name.path` (an artifact).",
			Attributes: []*Attribute{
				attr("value", Runtime, "any", "What it is; a reference to another step's output makes the edge.").required(),
				attr("type", Type, "", "The type it must have. Without it, the value's own."),
				attr("default", Const, "any", "Taken where the value's step was skipped."),
			}},
		{Name: "output", Label: "name",
			Doc: "What the step leaves behind, written to `/pipec/outputs/name`, or returned by a python function. Others read it as `step.x.name`.",
			Attributes: []*Attribute{
				attr("type", Type, "", "The type, checked again when the step has ended.").required(),
				attr("default", Const, "any", "What others read where the step was skipped, or has left the output out."),
				attr("optional", Const, "bool", "The step may leave it out and still succeed. Others then read it as an output of a skipped step: those that refer to it are skipped, softly it reads as null.").byDefault("false"),
				attr("glob", Const, "string", "Takes the files that the step has left and this pattern matches, relative to its working directory, instead of what is at `/pipec/outputs/name`: `\"plots/*.png\"`, `\"out/**/*.csv\"`. Of a list they come in the order of their paths, of a map by their paths beneath the pattern's first part without a wildcard; of any other artifact there is to be one.").format("glob"),
				attr("description", Const, "string", "What it means."),
			}},
		{Name: "secret_env", Label: "name",
			Doc: "A variable of the environment from a key of a Secret; on the local orchestrator from `PIPEC_SECRET_<SECRET>_<KEY>` or the stack's `secrets_file`. Its value is kept out of the step's log; a step that writes it to an output has it stored like any other.",
			Attributes: []*Attribute{
				attr("secret", Const, "string", "The Secret's name.").required(),
				attr("key", Const, "string", "The key in it.").required(),
			}},
		{Name: "retry", Single: true,
			Doc: "How often the step is tried. Failures of the infrastructure have a budget of their own and never use up `attempts`.",
			Attributes: []*Attribute{
				attr("attempts", Const, "number", "How often in all.").byDefault("1"),
				duration("delay", `"10s"`, "The wait before the second attempt."),
				attr("factor", Const, "number", "What the wait grows by each time.").byDefault("2"),
				duration("max_delay", `"5m"`, "The longest wait."),
				duration("within", "", "No attempt starts later than this after the first."),
				attr("on_exit_codes", Const, "list(number)", "Tries again only after these."),
				attr("when", Retry, "bool", "Tries again only where this is true; sees `attempt`, `exit_code` and `reason`."),
				attr("infrastructure", Const, "number", "How often it is repeated for failures that are not its own.").byDefault("3"),
				attr("oom_memory_factor", Const, "number", "What the memory grows by, each time, after the attempt ran out of it. Without it, it stays.").since(cluster),
			}},
		{Name: "cache", Single: true,
			Doc: "Caching with settings; its presence switches caching on.",
			Attributes: []*Attribute{
				attr("salt", Const, "string", "Part of the key: another salt, another result."),
				duration("ttl", "", "How old a result may be."),
			}},
		{Name: "resources", Single: true,
			Doc: "What the container asks of its node.",
			Attributes: []*Attribute{
				attr("cpu", Const, "string", "Cores, such as `\"500m\"`.").format("quantity"),
				attr("memory", Const, "string", "Memory, such as `\"1Gi\"`.").format("quantity"),
				attr("ephemeral_storage", Const, "string", "Disk, such as `\"10Gi\"`: what it asks for, and the most it gets.").format("quantity"),
				attr("cpu_limit", Const, "string", "The most cores it gets.").format("quantity"),
				attr("memory_limit", Const, "string", "The most memory it gets. Without it, `memory`.").format("quantity"),
				attr("extended", Const, "map(string)", "Others, by name: `{ \"nvidia.com/gpu\" = \"1\" }`.").format("quantity"),
				attr("gpu", Const, "number", "How many GPUs."),
				attr("gpu_resource", Const, "string", "The name of the resource that `gpu` counts.").byDefault(`"nvidia.com/gpu"`),
				attr("gpu_type", Const, "string", "The type of GPU: the value that the nodes' label `gpu_label` has."),
				attr("gpu_label", Const, "string", "The label of nodes that says their type of GPU.").byDefault(`"nvidia.com/gpu.product"`),
			}},
		approval(),
		{Name: "repeat", Single: true,
			Doc: "Runs the step, or each instance of it, in rounds. Its outputs are those of the last round.",
			Attributes: []*Attribute{
				attr("max", Const, "number", "The most rounds.").required(),
				attr("until", Own, "bool", "Asked after each round: true ends it. It reads the round's `output.x` as a value."),
				attr("carry", Own, "map(any)", "Inputs of the next round, by name: `{ x = output.y }`. The first round takes the input's own value."),
			}},
		concurrency(),
		security(),
	}, podBlocks()...)
}

// security is Single and works; what it may leave is listed one by one, so that a reader sees what a step is let do.
func security() *Block {
	return &Block{Name: "security", Single: true, Since: cluster,
		Doc: "Tightens the pod's security context, or leaves Pod Security `restricted`, which every pod otherwise keeps.",
		Attributes: []*Attribute{
			attr("run_as_user", Const, "string", "Who the process runs as: a number, or `cluster` to leave it to the cluster. Without it, the image's own user where that is a number and not root, else 65532."),
			attr("run_as_group", Const, "string", "Its group, likewise. Without it, the same number as the user's."),
			attr("read_only_root", Const, "bool", "The root file system can't be written; `/tmp` can.").byDefault("false"),
			attr("privileged", Const, "bool", "The container has all rights on its node.").byDefault("false"),
			attr("allow_root", Const, "bool", "Lets `run_as_user` be 0.").byDefault("false"),
			attr("add_capabilities", Const, "list(string)", "Capabilities of Linux that the container gets, such as `SYS_PTRACE`."),
			attr("host_paths", Const, "bool", "Lets `volume` and `pod` have volumes of the node's own directories.").byDefault("false"),
		}}
}
