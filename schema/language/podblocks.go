package language

// podAttributes are the attributes of a step that configure its pod.
func podAttributes() []*Attribute {
	return []*Attribute{
		attr("image_pull_secrets", Const, "list(string)", "Secrets for pulling the step's images."),
		attr("priority_class", Const, "string", "The priority class of the pod."),
		attr("runtime_class", Const, "string", "The runtime class of the pod."),
		attr("host_aliases", Const, "map(list(string))", "Host names for addresses, in the pod's `/etc/hosts`: `{ \"10.0.0.7\" = [\"db\"] }`."),
	}
}

// podBlocks are the blocks of a step that configure its pod.
func podBlocks() []*Block {
	return []*Block{
		{Name: "toleration",
			Doc: "A taint of nodes that the pod tolerates.",
			Attributes: []*Attribute{
				attr("key", Const, "string", "The taint's key. Default: every taint; `operator` is `Exists` then."),
				attr("operator", Const, "string", "`Equal`: the taint has this value; `Exists`: any. Default: `Equal` with a `value`, otherwise `Exists`.").oneOf("Equal", "Exists"),
				attr("value", Const, "string", "The taint's value."),
				attr("effect", Const, "string", "The taint's effect. Default: every effect.").oneOf("NoSchedule", "PreferNoSchedule", "NoExecute"),
				attr("seconds", Const, "number", "How long the pod stays on a node that gets the taint, with `NoExecute`. Default: forever."),
			}},
		{Name: "affinity", Single: true,
			Doc: "Which nodes and pods attract the pod, in Kubernetes' own terms. They are checked against Kubernetes' types.",
			Attributes: []*Attribute{
				attr("node", Const, "any", "`nodeAffinity`: the nodes."),
				attr("pod", Const, "any", "`podAffinity`: the pods to be near."),
				attr("pod_anti", Const, "any", "`podAntiAffinity`: the pods to keep away from."),
			}},
		{Name: "topology_spread",
			Doc: "How pods are spread over nodes, zones, or other domains of a node label.",
			Attributes: []*Attribute{
				attr("key", Const, "string", "The label of nodes, such as `topology.kubernetes.io/zone`.").required(),
				attr("max_skew", Const, "number", "By how many pods two domains may differ.").byDefault("1"),
				attr("when_unsatisfiable", Const, "string", "What to do if this isn't possible.").oneOf("DoNotSchedule", "ScheduleAnyway").byDefault(`"DoNotSchedule"`),
				attr("match_labels", Const, "map(string)", "The labels of the pods that are counted.").required(),
			}},
		volume(),
		container("sidecar", "A container next to the step's own. It starts before the step's container, and stops after it. The local orchestrator doesn't start it. Set what has no attribute here with `pod = { initContainers = [{ name = \"…\" }] }`."),
		container("init", "A container that runs to completion before the step's own starts, in the order of the blocks. The sidecars are already running. The local orchestrator doesn't run it."),
		{Name: "dns", Single: true,
			Doc: "How host names are resolved in the pod.",
			Attributes: []*Attribute{
				attr("policy", Const, "string", "Where the settings come from; `None`: only from this block.").oneOf("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None").byDefault(`"ClusterFirst"`),
				attr("nameservers", Const, "list(string)", "Addresses of name servers, at most 3."),
				attr("searches", Const, "list(string)", "Search domains, at most 32."),
				attr("options", Const, "map(string)", "Options of the resolver: `{ ndots = \"2\" }`; `\"\"` for those without a value."),
			}},
	}
}

func volume() *Block {
	return &Block{Name: "volume", Label: "name",
		Doc: "A volume of the pod. Exactly one of `claim`, `ephemeral`, `scratch`, `memory`, `secret`, `config_map` and `host_path` sets its kind. The local orchestrator ignores it: a step that also runs there finds `path` only if it exists on the machine. A step that can write to a claim is never cached.",
		Attributes: []*Attribute{
			attr("path", Const, "string", "The mount path in the step's container, such as `/data`, or `/dev/shm`.").required(),
			attr("claim", Const, "string", "The name of a PersistentVolumeClaim of the namespace."),
			attr("ephemeral", Const, "string", "The size of a claim that is created for the pod, and deleted with it.").format("quantity"),
			attr("storage_class", Const, "string", "The storage class of an `ephemeral` one. Default: the cluster's."),
			attr("access_mode", Const, "string", "The access modes that the `claim` allows, or that an `ephemeral` one requests. Two steps that can run at once can't mount the same claim with `ReadWriteOnce` or `ReadWriteOncePod`; a call mounts the claims of the steps that it calls.").oneOf("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany").byDefault(`"ReadWriteOnce"`),
			attr("scratch", Const, "string", "The size of an empty directory on the node's disk.").format("quantity"),
			attr("memory", Const, "string", "The size of an empty directory in memory, as for `/dev/shm`. Its content counts as memory of the step.").format("quantity"),
			attr("secret", Const, "string", "The name of a Secret; its keys are files."),
			attr("config_map", Const, "string", "The name of a ConfigMap; its keys are files."),
			attr("items", Const, "map(string)", "Which keys of a `secret` or `config_map` become which files: `{ \"tls.crt\" = \"cert.pem\" }`. Default: all keys, by their names."),
			attr("host_path", Const, "string", "A directory of the node. It requires `security { host_paths = true }`."),
			attr("read_only", Const, "bool", "The volume is read-only.").byDefault("false"),
			attr("sub_path", Const, "string", "The part of the volume that is mounted, instead of its root."),
		}}
}

func container(name, doc string) *Block {
	return &Block{Name: name, Label: "name", Doc: doc,
		Attributes: []*Attribute{
			attr("image", Const, "string", "The image.").required(),
			attr("command", Const, "list(string)", "The process and its arguments. Default: the image's entrypoint."),
			attr("args", Const, "list(string)", "The arguments. Default: the image's own."),
			attr("env", Const, "map(string)", "Variables of the environment."),
			attr("mounts", Const, "map(string)", "Volumes of the step, with their mount paths in this container: `{ data = \"/data\" }`."),
			attr("cpu", Const, "string", "The request for cores.").format("quantity"),
			attr("memory", Const, "string", "The request and the limit for memory.").format("quantity"),
		}}
}
