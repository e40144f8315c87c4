package language

// onPods adds to the `orchestrator` block what configures all pods of a stack. It belongs to the kinds of orchestrators whose
// steps run as pods.
func onPods(orchestrator *Block, kinds []string) {
	if len(kinds) == 0 {
		return
	}
	secrets := attr("image_pull_secrets", Const, "list(string)", "Secrets for pulling the images of all pods: the coordinator's and the steps'. A step's own `image_pull_secrets` are added to them.").since(cluster)
	secrets.Only = kinds
	orchestrator.Attributes = append(orchestrator.Attributes, secrets)
	for _, b := range []*Block{coordinator(), defaultResources()} {
		b.Only = kinds
		orchestrator.Blocks = append(orchestrator.Blocks, b)
	}
}

// coordinator returns the block that configures the pod of the coordinator. Its attributes and blocks have the names of those of
// a step.
func coordinator() *Block {
	attributes := []*Attribute{
		attr("node_selector", Const, "map(string)", "Labels that the node must have."),
		attr("service_account", Const, "string", "An existing service account, which you manage, with its Role. Default: pipec writes a service account, a Role and a RoleBinding for each pipeline. `pipec stack check` reports the rights that your account lacks."),
		attr("labels", Const, "map(string)", "Labels of the pod, in addition to those of the pipeline."),
		attr("annotations", Const, "map(string)", "Annotations of the pod."),
	}
	for _, a := range podAttributes() {
		if a.Name == "image_pull_secrets" {
			a.Doc = "Secrets for pulling the coordinator's image, in addition to those of the orchestrator."
		}
		attributes = append(attributes, a)
	}
	b := &Block{Name: "coordinator", Single: true, Since: cluster, Attributes: attributes,
		Doc: "The pod of the coordinator, which drives a run: `pipec-agent` in the Job of each run. The attributes and blocks mean what they mean for the pod of a step. The pod always complies with Pod Security `restricted`."}
	own := amounts("resources", "The resources of the coordinator.", `"50m"`, `"64Mi"`)
	own.Attribute("memory_limit").Doc = "The limit for memory. Default: `memory`, but at least `\"128Mi\"`."
	b.Blocks = []*Block{own, {Name: "security", Single: true,
		Doc: "The user of the coordinator's process.",
		Attributes: []*Attribute{
			attr("run_as_user", Const, "string", "A number other than 0, or `cluster` to leave it to the cluster.").byDefault(`"65532"`),
			attr("run_as_group", Const, "string", "The group of the process, likewise. Default: the same number as the user's."),
		}}}
	for _, n := range podBlocks() {
		switch n.Name {
		case "toleration", "affinity", "topology_spread", "dns":
			b.Blocks = append(b.Blocks, n)
		}
	}
	return b
}

// defaultResources returns the block of the requests and limits of containers that declare none.
func defaultResources() *Block {
	b := amounts("default_resources", "Requests and limits for the containers of all pods that don't declare them: of steps, with their sidecars and init containers, of pipec's agent and of the coordinator. Write it for a namespace whose ResourceQuota requires them: such a quota rejects each pod with a container that has none. A container's own requests and limits take precedence: a default limit is raised to the container's own request, and a default request is lowered to its own limit.", "", "")
	b.Since = cluster
	return b
}

// amounts returns a block of requests and limits, with the documented defaults of two of them; "": none.
func amounts(name, doc, cpu, memory string) *Block {
	return &Block{Name: name, Single: true, Doc: doc,
		Attributes: []*Attribute{
			attr("cpu", Const, "string", "The request for cores, such as `\"500m\"`.").format("quantity").byDefault(cpu),
			attr("memory", Const, "string", "The request for memory, such as `\"256Mi\"`.").format("quantity").byDefault(memory),
			attr("ephemeral_storage", Const, "string", "Disk, such as `\"1Gi\"`: the request and the limit.").format("quantity"),
			attr("cpu_limit", Const, "string", "The limit for cores.").format("quantity"),
			attr("memory_limit", Const, "string", "The limit for memory. Default: `memory`.").format("quantity"),
		}}
}
