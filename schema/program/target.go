package program

// Target is what Bind of schema/kube/pod adds to a program: all that a run on a cluster needs and the pipeline doesn't say. It
// holds no secrets.
type Target struct {
	Stack     string `json:"stack"`
	Namespace string `json:"namespace"`
	// CreateNamespace says that the definition holds the namespace too.
	CreateNamespace bool  `json:"create_namespace,omitempty"`
	Store           Store `json:"store"`
	// Agent is the image of pipec-agent, pinned by digest where the lock has it.
	Agent string `json:"agent"`
	// Wrapper is how the agent gets into a step's pod: "image", a volume of the agent's image, or "init", a container
	// that copies it.
	Wrapper    string   `json:"wrapper"`
	StoreGrace Duration `json:"store_grace"`
	// OnLostNode is how long a pod on an unreachable node is waited for before its step is tried elsewhere; 0: for ever.
	OnLostNode Duration `json:"on_lost_node,omitempty"`
	// Restarts says that the cluster restarts the coordinator's container in its pod (restartPolicyRules).
	Restarts bool `json:"restarts,omitempty"`
}

// Security is what a step's security block asks for, beyond or beside Pod Security `restricted`.
type Security struct {
	// RunAsUser and RunAsGroup are numeric, or "cluster": nothing is said, and the cluster decides. "": the image's own
	// user where that is numeric and not root, else 65532.
	RunAsUser    string   `json:"run_as_user,omitempty"`
	RunAsGroup   string   `json:"run_as_group,omitempty"`
	ReadOnlyRoot bool     `json:"read_only_root,omitempty"`
	Privileged   bool     `json:"privileged,omitempty"`
	AllowRoot    bool     `json:"allow_root,omitempty"`       // run_as_user = "0" needs it
	Capabilities []string `json:"add_capabilities,omitempty"` // sorted
	HostPaths    bool     `json:"host_paths,omitempty"`       // volumes of the node are allowed
}
