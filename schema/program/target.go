package program

import "encoding/json"

// Target is what Bind of schema/kube/pod adds to a program: everything that a run on a cluster needs in addition to the
// pipeline. It holds no secrets.
type Target struct {
	Stack     string `json:"stack"`
	Namespace string `json:"namespace"`
	// CreateNamespace reports that the definition contains the namespace.
	CreateNamespace bool  `json:"create_namespace,omitempty"`
	Store           Store `json:"store"`
	// Agent is the image of pipec-agent, pinned by digest if the lock has it.
	Agent string `json:"agent"`
	// Wrapper is how the agent gets into the pod of a step: "image" mounts the agent's image as a volume, "init" copies the agent in
	// an init container.
	Wrapper    string   `json:"wrapper"`
	StoreGrace Duration `json:"store_grace"`
	// OnLostNode is how long a run waits for a pod on an unreachable node before it retries the step; 0: forever.
	OnLostNode Duration `json:"on_lost_node,omitempty"`
	// TTL is how long the Jobs of runs remain that have ended; 0: the default of emit.
	TTL Duration `json:"ttl,omitempty"`
	// Restarts reports that the cluster restarts the coordinator's container in its pod (restartPolicyRules).
	Restarts bool `json:"restarts,omitempty"`
	// ImagePullSecrets, DefaultResources and Coordinator are those of the stack's orchestrator.
	ImagePullSecrets []string     `json:"image_pull_secrets,omitempty"`
	DefaultResources *Resources   `json:"default_resources,omitempty"`
	Coordinator      *Coordinator `json:"coordinator,omitempty"`
}

// Coordinator holds what a stack sets for the pods of its coordinators.
type Coordinator struct {
	// ServiceAccount is an account that the user manages. "": the definition contains one.
	ServiceAccount string            `json:"service_account,omitempty"`
	NodeSelector   map[string]string `json:"node_selector,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	Annotations    map[string]string `json:"annotations,omitempty"`
	Resources      *Resources        `json:"resources,omitempty"`
	Security       *Security         `json:"security,omitempty"`
	PodPatch       json.RawMessage   `json:"pod_patch,omitempty"` // a strategic merge patch for the PodSpec
}

// Account returns the service account of coordinators that the user manages, or "". c may be nil.
func (c *Coordinator) Account() string {
	if c == nil {
		return ""
	}
	return c.ServiceAccount
}

// Security holds what the security block of a step sets, in addition to Pod Security `restricted` or instead of it.
type Security struct {
	// RunAsUser and RunAsGroup are numeric, or "cluster": the pod does not set them, and the cluster decides. "" means the image's
	// own user if it is numeric and not root, else 65532.
	RunAsUser    string   `json:"run_as_user,omitempty"`
	RunAsGroup   string   `json:"run_as_group,omitempty"`
	ReadOnlyRoot bool     `json:"read_only_root,omitempty"`
	Privileged   bool     `json:"privileged,omitempty"`
	AllowRoot    bool     `json:"allow_root,omitempty"`       // run_as_user = "0" needs it
	Capabilities []string `json:"add_capabilities,omitempty"` // sorted
	HostPaths    bool     `json:"host_paths,omitempty"`       // volumes of the node are allowed
}
