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

// perInstance allows all attributes of a block to differ for each instance: pods are made when compiling, one for each
// instance.
func perInstance(b *Block) {
	for _, a := range b.Attributes {
		a.Each = true
	}
}

func stepAttributes() []*Attribute {
	return append([]*Attribute{
		attr("description", Const, "string", "What the step does."),
		attr("command", Own, "list(string)", "The process and its arguments. There is no shell unless you write one. Lists inside are flattened, and null is left out: `[\"train\", param.depth == null ? [] : [\"--depth\", \"${param.depth}\"]]`. On this machine, `python` and `python3` are the interpreter of `python` steps.").format("arguments"),
		attr("python", Const, "string", "`module:function`: an ordinary function, whose parameters are the inputs by name and whose result is the outputs."),
		attr("script", Const, "string", "A Python script: a file of the step's code, or else of the project, such as one that reads its options with argparse or click. The interpreter of `python` steps runs it, with the options of `args`. An absolute path is a file of the step's image.").format("path"),
		attr("args", Own, "any", "The options of the script: `{ max_depth = param.max_depth, data = input.data.path, verbose = true }` is `--data=… --max-depth=… --verbose`, in the order of the names. A list has its elements behind the option, `true` is the option alone, and `false`, `null` and an empty list leave it out. A list instead of a map is passed as it is, like the arguments of a command: `[\"fit\", param.depth == null ? [] : [\"--depth\", \"${param.depth}\"]]`."),
		attr("pipeline", Ref, "", "A pipeline to call: `pipeline.name`, or `library.l.name`. Its params are the step's inputs, and its outputs the step's."),
		attr("inputs", Runtime, "map(any)", "The inputs by name: `{ X = step.load.X, gamma = param.gamma }`. Each entry is short for an `input` block that has only a `value`. The map must be written out.").shortFor("input", "value"),
		attr("outputs", Types, "", "The types of the outputs by name: `{ model = model, accuracy = number }`. Each entry is short for an `output` block that has only a `type`. If the annotations of a python function declare the types, the names are enough: `[\"model\", \"accuracy\"]`; if they also declare the names, `outputs` can be omitted.").shortFor("output", "type"),
		attr("image", Ref, "string", "The image: `image.name`, or a string. Without it, the pipeline's."),
		attr("code", Ref, "", "The code that is its working directory: `code.name`. Without it, the pipeline's."),
		attr("when", Runtime, "bool", "Whether the step runs. It is evaluated when all steps that it needs have ended. Mentioning `step.x.status` lifts the requirement that x has succeeded."),
		attr("depends_on", Refs, "", "Steps that must have succeeded, besides those that the step refers to: `[step.a, step.b]`."),
		attr("for_each", Runtime, "any", "Makes an instance for each element of a list, a set of strings or a map, which read it as `each.key` and `each.value`. Others read `step.x[*].y`, `step.x[each.key].y` or `step.x[\"key\"].y`.").null(),
		attr("max_parallel", Const, "number", "How many instances run at once. Default: the pipeline's `max_parallel`."),
		attr("max_instances", Const, "number", "The maximum number of instances: with more elements, the step fails.").byDefault("10000"),
		attr("env", Own, "map(string)", "Variables of the environment. One that is null is not set."),
		duration("timeout", "", "How long an attempt may take, from the start of the process. Of a call: how long each attempt of it may take. Its steps are then stopped, and its `finally` steps run."),
		duration("pending_timeout", "", "How long a pod may wait to start."),
		duration("grace", `"30s"`, "How long the process may take to end after SIGTERM, before SIGKILL."),
		attr("cache", Const, "bool", "Reuses the outputs of an earlier run of the same command, code and inputs. See also the block.").byDefault("false"),
		attr("continue_on_failure", Const, "bool", "The run can succeed even if this step fails.").byDefault("false"),
		attr("node_selector", Const, "map(string)", "Labels that the node must have. The local orchestrator ignores this, like everything about pods."),
		attr("service_account", Const, "string", "The service account of the pod."),
		attr("labels", Const, "map(string)", "Labels of the pod."),
		attr("annotations", Const, "map(string)", "Annotations of the pod."),
		attr("pod", Const, "any", "A strategic merge patch of the pod's spec, for fields without an attribute: `{ priorityClassName = \"batch\" }`. The step's container is `main`. It is checked against Kubernetes' own types.").since(cluster),
	}, podAttributes()...)
}

func stepBlocks() []*Block {
	return append([]*Block{
		{Name: "input", Label: "name",
			Doc: "An input of the step: a file at `/pipec/inputs/name`, and a parameter of a python function. Its own `command` and `env` read it as `input.name` (a value) or `input.name.path` (an artifact).",
			Attributes: []*Attribute{
				attr("value", Runtime, "any", "The value. A reference to another step's output is the edge.").required(),
				attr("type", Type, "", "The required type. Default: the type in the annotation of the python function's parameter, or else the value's own type."),
				attr("default", Const, "any", "Used if the value's step was skipped.").null(),
			}},
		{Name: "output", Label: "name",
			Doc: "An output of the step, written to `/pipec/outputs/name`, or returned by a python function. Others read it as `step.x.name`.",
			Attributes: []*Attribute{
				attr("type", Type, "", "The type, checked again when the step has ended. Required, unless the annotation of the python function's result declares it."),
				attr("default", Const, "any", "What others read if the step was skipped, or, with `optional`, didn't write the output.").null(),
				attr("optional", Const, "bool", "The step may succeed without writing it. Others then read it like an output of a skipped step: steps that refer to it are skipped, and in coalesce or try it is null.").byDefault("false"),
				attr("glob", Const, "string", "Collects the files that match this pattern, relative to the step's working directory, instead of `/pipec/outputs/name`: `\"plots/*.png\"`, `\"out/**/*.csv\"`. A list has them in the order of their paths. A map has them by their paths below the pattern's first part without a wildcard. For any other artifact exactly one file must match.").format("glob"),
				attr("file", Const, "string", "Reads the value from a file that the step writes anyway, instead of `/pipec/outputs/name`: `\"out/metrics.json\"`, relative to the step's working directory. Its name declares its format: `.json`, `.yaml`, `.yml`, or `.csv` with a line of column names. In any other file, a string is the text, and other values are JSON. Attributes that an object's type doesn't declare are left out."),
				attr("key", Const, "string", "The value is only this key of the object in `file`: `\"auc\"`, or a path of keys: `\"test.auc\"`. In a CSV file, it is a column."),
				attr("description", Const, "string", "What the output means."),
			}},
		{Name: "secret_env", Label: "name",
			Doc: "A variable of the environment from a key of a Secret; on the local orchestrator from `PIPEC_SECRET_<SECRET>_<KEY>` or the stack's `secrets_file`. Its value is masked as `***` in the step's log, messages and records if it has 4 bytes or more, also in parts and forms of it: without white space at its ends, each of its lines that has 8 bytes or more, as JSON, in a URL, as base64, and quoted. A step that writes it to an output stores it like any other output.",
			Attributes: []*Attribute{
				attr("secret", Const, "string", "The Secret's name.").required(),
				attr("key", Const, "string", "The key in the Secret.").required(),
			}},
		{Name: "retry", Single: true,
			Doc: "Retries of the step. Failures of the infrastructure have a retry budget of their own and never use up `attempts`. A call that failed runs again as a whole, with new attempts of all its steps: it has `attempts`, `delay`, `factor`, `max_delay` and `within`.",
			Attributes: []*Attribute{
				attr("attempts", Const, "number", "The maximum number of attempts.").byDefault("1"),
				duration("delay", `"10s"`, "The wait before the second attempt."),
				attr("factor", Const, "number", "The factor by which the wait grows each time.").byDefault("2"),
				duration("max_delay", `"5m"`, "The longest wait."),
				duration("within", "", "The time after the first attempt in which others may start."),
				attr("on_exit_codes", Const, "list(number)", "The exit codes that are retried. Default: all."),
				attr("when", Retry, "bool", "Retries only if this is true. It may read `attempt`, `exit_code` and `reason`."),
				attr("infrastructure", Const, "number", "The retry budget for failures of the infrastructure.").byDefault("3"),
				attr("oom_memory_factor", Const, "number", "The factor by which the memory grows after an attempt ran out of memory. Default: it doesn't grow.").since(cluster),
				attr("avoid_node", Const, "bool", "The next attempt runs on another node than the attempts of the step that failed. If there is no other node, its pod waits for one, up to `pending_timeout`. The local orchestrator ignores this.").byDefault("false").since(cluster),
			}},
		{Name: "cache", Single: true,
			Doc: "Caching with settings. The block switches caching on.",
			Attributes: []*Attribute{
				attr("salt", Const, "string", "A part of the cache key: with another salt, the step runs again."),
				attr("key", Own, "any", "What the result depends on, instead of the inputs and `env`: `[input.table_version, param.date]`. The command or function, the code and the image still count."),
				duration("ttl", "", "The maximum age of a result."),
			}},
		resources(),
		approval(),
		{Name: "repeat", Single: true,
			Doc: "Runs the step, or each instance of it, in rounds. Its outputs are those of the last round.",
			Attributes: []*Attribute{
				attr("max", Const, "number", "The maximum number of rounds.").required(),
				attr("until", Own, "bool", "Evaluated after each round: true ends the step. It reads the round's outputs as `output.x`."),
				attr("carry", Own, "map(any)", "Inputs of the next round, by name: `{ x = output.y }`. The first round reads the input's own value."),
			}},
		concurrency(),
		security(),
	}, podBlocks()...)
}

// resources returns the resources of a step: those of every container, and those of its node.
func resources() *Block {
	b := amounts("resources", "The resources that the container requests from its node.", "", "")
	b.Attributes = append(b.Attributes,
		attr("extended", Const, "map(string)", "Other resources, by name: `{ \"nvidia.com/gpu\" = \"1\" }`.").format("quantity"),
		attr("gpu", Const, "number", "The number of GPUs."),
		attr("gpu_resource", Const, "string", "The name of the resource that `gpu` counts.").byDefault(`"nvidia.com/gpu"`),
		attr("gpu_type", Const, "string", "The type of GPU: the value that the nodes' label `gpu_label` has."),
		attr("gpu_label", Const, "string", "The label of nodes with their type of GPU.").byDefault(`"nvidia.com/gpu.product"`),
	)
	return b
}

// security is Single and supported. The permissions that it can grant are listed one by one, so that a reader sees what a
// step may do.
func security() *Block {
	return &Block{Name: "security", Single: true, Since: cluster,
		Doc: "Tightens the pod's security context, or leaves Pod Security `restricted`, with which every pod otherwise complies.",
		Attributes: []*Attribute{
			attr("run_as_user", Const, "string", "The user of the process: a number, or `cluster` to leave it to the cluster. Default: the image's own user if that is a number and not root, otherwise 65532."),
			attr("run_as_group", Const, "string", "The group of the process, likewise. Default: the same number as the user's."),
			attr("read_only_root", Const, "bool", "The root file system is read-only; `/tmp` is writable.").byDefault("false"),
			attr("privileged", Const, "bool", "The container has all rights on its node.").byDefault("false"),
			attr("allow_root", Const, "bool", "Lets `run_as_user` be 0.").byDefault("false"),
			attr("add_capabilities", Const, "list(string)", "Linux capabilities to add to the container, such as `SYS_PTRACE`."),
			attr("host_paths", Const, "bool", "Lets `volume` and `pod` mount directories of the node.").byDefault("false"),
		}}
}
