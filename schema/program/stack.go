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
}

// Store keeps artifacts and records: "local" in a directory, "s3" in a bucket.
type Store struct {
	Kind string `json:"kind"`
	Path string `json:"path"` // local: a directory, relative to the project; s3: s3://bucket/prefix
}

// Registry keeps images.
type Registry struct {
	Kind string `json:"kind"`
	URI  string `json:"uri"`
}
