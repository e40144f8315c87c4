package language

// podAttributes are those of a step that are about its pod and are a line each.
func podAttributes() []*Attribute {
	return []*Attribute{
		attr("image_pull_secrets", Const, "list(string)", "Secrets that the step's images are pulled with."),
		attr("priority_class", Const, "string", "The priority class of the pod."),
		attr("runtime_class", Const, "string", "The runtime class of the pod."),
		attr("host_aliases", Const, "map(list(string))", "Names for addresses, in the pod's `/etc/hosts`: `{ \"10.0.0.7\" = [\"db\"] }`."),
	}
}

// podBlocks are the blocks of a step that are about its pod.
func podBlocks() []*Block {
	return []*Block{
		{Name: "toleration",
			Doc: "A taint of nodes that the pod tolerates.",
			Attributes: []*Attribute{
				attr("key", Const, "string", "The taint's key. Without it, every taint: `operator` is `Exists` then."),
				attr("operator", Const, "string", "`Equal`: the taint has this value; `Exists`: any. Without it, `Equal` where there is a `value`, else `Exists`.").oneOf("Equal", "Exists"),
				attr("value", Const, "string", "The taint's value."),
				attr("effect", Const, "string", "The taint's effect. Without it, every one.").oneOf("NoSchedule", "PreferNoSchedule", "NoExecute"),
				attr("seconds", Const, "number", "How long the pod stays on a node that gets the taint, with `NoExecute`. Without it, for ever."),
			}},
		{Name: "affinity", Single: true,
			Doc: "Which nodes and pods the pod is drawn to, in Kubernetes' own terms; they are checked against its types.",
			Attributes: []*Attribute{
				attr("node", Const, "any", "`nodeAffinity`: which nodes."),
				attr("pod", Const, "any", "`podAffinity`: beside which pods."),
				attr("pod_anti", Const, "any", "`podAntiAffinity`: away from which pods."),
			}},
		{Name: "topology_spread",
			Doc: "How pods are spread over nodes, zones, or what else a label of nodes tells apart.",
			Attributes: []*Attribute{
				attr("key", Const, "string", "The label of nodes, such as `topology.kubernetes.io/zone`.").required(),
				attr("max_skew", Const, "number", "How many pods more one place may have than another.").byDefault("1"),
				attr("when_unsatisfiable", Const, "string", "What is done where that can't be kept.").oneOf("DoNotSchedule", "ScheduleAnyway").byDefault(`"DoNotSchedule"`),
				attr("match_labels", Const, "map(string)", "The labels of the pods that are counted.").required(),
			}},
		volume(),
		container("sidecar", "A container beside the step's own: it is started before it, and ended when it has ended. On the local orchestrator, there is none. What has no attribute here is said by `pod = { initContainers = [{ name = \"…\" }] }`."),
		container("init", "A container that runs to its end before the step's own starts, in the order of the blocks, with the sidecars already there. On the local orchestrator, it doesn't run."),
		{Name: "dns", Single: true,
			Doc: "How names are resolved in the pod.",
			Attributes: []*Attribute{
				attr("policy", Const, "string", "Where the settings come from; `None`: from here alone.").oneOf("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None").byDefault(`"ClusterFirst"`),
				attr("nameservers", Const, "list(string)", "Addresses of name servers, at most 3."),
				attr("searches", Const, "list(string)", "Domains that names are looked for in, at most 32."),
				attr("options", Const, "map(string)", "Options of the resolver: `{ ndots = \"2\" }`; `\"\"` for those without a value."),
			}},
	}
}

func volume() *Block {
	return &Block{Name: "volume", Label: "name",
		Doc: "A volume of the pod. Exactly one of `claim`, `ephemeral`, `scratch`, `memory`, `secret`, `config_map` and `host_path` says what it is. Without effect on the local orchestrator: a step that runs there too finds `path` only where the machine has it. A step that can write to a claim is never cached.",
		Attributes: []*Attribute{
			attr("path", Const, "string", "Where the step's container has it, such as `/data`, or `/dev/shm`.").required(),
			attr("claim", Const, "string", "The name of a PersistentVolumeClaim of the namespace."),
			attr("ephemeral", Const, "string", "The size of a claim that is made for the pod, and ends with it.").format("quantity"),
			attr("storage_class", Const, "string", "The storage class of an `ephemeral` one. Without it, the cluster's default."),
			attr("access_mode", Const, "string", "What the `claim` allows, or what is asked for an `ephemeral` one. Two steps that can run at once can't have one claim that is `ReadWriteOnce` or `ReadWriteOncePod`; a call has those of the steps that it calls.").oneOf("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany").byDefault(`"ReadWriteOnce"`),
			attr("scratch", Const, "string", "The size of an empty directory on the node's disk.").format("quantity"),
			attr("memory", Const, "string", "The size of an empty directory in memory, as for `/dev/shm`. What is in it counts as memory of the step.").format("quantity"),
			attr("secret", Const, "string", "The name of a Secret; its keys are files."),
			attr("config_map", Const, "string", "The name of a ConfigMap; its keys are files."),
			attr("items", Const, "map(string)", "Which keys of a `secret` or `config_map` become which files: `{ \"tls.crt\" = \"cert.pem\" }`. Without it, all, by their names."),
			attr("host_path", Const, "string", "A directory of the node. It asks for `security { host_paths = true }`."),
			attr("read_only", Const, "bool", "Nothing can be written to it.").byDefault("false"),
			attr("sub_path", Const, "string", "The part of the volume that is mounted, instead of its root."),
		}}
}

func container(name, doc string) *Block {
	return &Block{Name: name, Label: "name", Doc: doc,
		Attributes: []*Attribute{
			attr("image", Const, "string", "The image.").required(),
			attr("command", Const, "list(string)", "The process. Without it, the image's own."),
			attr("args", Const, "list(string)", "Its arguments. Without it, the image's own."),
			attr("env", Const, "map(string)", "Variables of the environment."),
			attr("mounts", Const, "map(string)", "Volumes of the step, and where this container has them: `{ data = \"/data\" }`."),
			attr("cpu", Const, "string", "Cores that it asks for.").format("quantity"),
			attr("memory", Const, "string", "Memory that it asks for, and the most it gets.").format("quantity"),
		}}
}
