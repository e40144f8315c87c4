package program

// Stack says where a program runs and where its artifacts and images live.
type Stack struct {
	Name          string       `json:"name"`
	Orchestrator  Orchestrator `json:"orchestrator"`
	ArtifactStore Store        `json:"artifact_store"`
	Registry      *Registry    `json:"container_registry,omitempty"`
	SecretsFile   string       `json:"secrets_file,omitempty"` // local: NAME=VALUE lines; relative to the project
}

// Orchestrator runs the steps: "local" as processes on this machine, "kubernetes" as pods.
type Orchestrator struct {
	Kind        string `json:"kind"`
	Parallel    int    `json:"parallel,omitempty"` // local: processes at once; 0: the machine's cores
	Python      string `json:"python,omitempty"`   // local: the interpreter of python steps; "" searches
	Context     string `json:"context,omitempty"`  // kubernetes, as the following
	EKSCluster  string `json:"eks_cluster,omitempty"`
	InCluster   bool   `json:"in_cluster,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Synchronous bool   `json:"synchronous,omitempty"`
	// CreateNamespace says that apply makes the namespace where it is missing.
	CreateNamespace bool `json:"create_namespace,omitempty"`
	// Version is the cluster's, as "1.36", where the compiler can't ask it.
	Version    string   `json:"kubernetes_version,omitempty"`
	Wrapper    string   `json:"wrapper,omitempty"` // auto, image or init
	StoreGrace Duration `json:"store_grace,omitempty"`
	OnLostNode Duration `json:"on_lost_node,omitempty"`
}

// Store keeps artifacts and records: "local" in a directory, "s3" in a bucket.
type Store struct {
	Kind string `json:"kind"`
	Path string `json:"path"` // local: a directory, relative to the project; s3: s3://bucket/prefix
	// The following are for s3.
	Region    string `json:"region,omitempty"`   // "": what the SDK finds
	Endpoint  string `json:"endpoint,omitempty"` // URL of a server that isn't AWS
	PathStyle bool   `json:"path_style,omitempty"`
	// Secret names the Secret of the namespace that holds AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for pods. "":
	// pods find their credentials themselves, as by the role of their service account.
	Secret string `json:"secret,omitempty"`
	// Role is the ARN of the IAM role that pods take through their service account (IRSA).
	Role string `json:"role,omitempty"`
}

// Registry keeps images.
type Registry struct {
	Kind string `json:"kind"`
	URI  string `json:"uri"`
}
