package program

// Stack is where a program runs and where its artifacts and images are stored.
type Stack struct {
	Name          string       `json:"name"`
	Orchestrator  Orchestrator `json:"orchestrator"`
	ArtifactStore Store        `json:"artifact_store"`
	Registry      *Registry    `json:"container_registry,omitempty"`
	SecretsFile   string       `json:"secrets_file,omitempty"` // local: NAME=VALUE lines; relative to the project
	Recipe        *Recipe      `json:"recipe,omitempty"`
	// Pending are the outputs of the recipe that the stack refers to and that the lock doesn't have, sorted. Text that takes
	// their place is in the other fields, so the stack can be checked but not used.
	Pending []string `json:"pending,omitempty"`
}

// Orchestrator runs the steps. Its kinds are rows of package schema/kinds.
type Orchestrator struct {
	Kind        string `json:"kind"`
	Parallel    int    `json:"parallel,omitempty"` // local: processes at once; 0: the machine's cores
	Python      string `json:"python,omitempty"`   // local: the interpreter of python steps; "" searches
	Context     string `json:"context,omitempty"`  // kubernetes, as the following
	EKSCluster  string `json:"eks_cluster,omitempty"`
	InCluster   bool   `json:"in_cluster,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Synchronous bool   `json:"synchronous,omitempty"`
	// CreateNamespace makes apply create the namespace if it is missing.
	CreateNamespace bool `json:"create_namespace,omitempty"`
	// Version is the cluster's version, such as "1.36". "": it is not known at compile time.
	Version    string   `json:"kubernetes_version,omitempty"`
	Wrapper    string   `json:"wrapper,omitempty"` // auto, image or init
	StoreGrace Duration `json:"store_grace,omitempty"`
	OnLostNode Duration `json:"on_lost_node,omitempty"`
	// TTL is how long the Jobs of runs remain that have ended; 0: the default of emit.
	TTL Duration `json:"ttl,omitempty"`
	// ImagePullSecrets are the Secrets for pulling the images of all pods.
	ImagePullSecrets []string `json:"image_pull_secrets,omitempty"`
	// DefaultResources are the requests and limits of containers that declare none. nil: they have none.
	DefaultResources *Resources   `json:"default_resources,omitempty"`
	Coordinator      *Coordinator `json:"coordinator,omitempty"`
	// Settings are the attributes of kinds that have no fields here, by name.
	Settings map[string]string `json:"settings,omitempty"`
}

// Store keeps artifacts and records. Its kinds are rows of package schema/kinds.
type Store struct {
	Kind string `json:"kind"`
	Path string `json:"path"` // local: a directory, relative to the project; else a URL such as s3://bucket/prefix
	// The following three are for s3.
	Region    string `json:"region,omitempty"`   // "": what the SDK finds
	Endpoint  string `json:"endpoint,omitempty"` // URL of a server that isn't AWS
	PathStyle bool   `json:"path_style,omitempty"`
	// Secret is the Secret of the namespace whose variables are the store's credentials in pods. "": pods find their
	// credentials themselves, for example by the role of their service account.
	Secret string `json:"secret,omitempty"`
	// Role is the identity in the cloud that pods get through their service account, such as the ARN of an IAM role.
	Role string `json:"role,omitempty"`
	// StepsSecret and StepsRole replace Secret and Role in the pods of steps. Both "": steps have the identity of the coordinator.
	StepsSecret string `json:"steps_secret,omitempty"`
	StepsRole   string `json:"steps_role,omitempty"`
	// Settings are the attributes of kinds that have no fields here, by name.
	Settings map[string]string `json:"settings,omitempty"`
}

// Separate reports whether steps have an identity of their own.
func (s *Store) Separate() bool { return s.StepsSecret != "" || s.StepsRole != "" }

// ForCoordinator returns the store as the coordinator opens it, without the identity of the steps.
func (s Store) ForCoordinator() Store {
	s.StepsSecret, s.StepsRole = "", ""
	return s
}

// ForSteps returns the store as the pods of steps open it.
func (s Store) ForSteps() Store {
	if s.Separate() {
		s.Secret, s.Role = s.StepsSecret, s.StepsRole
	}
	return s.ForCoordinator()
}

// Registry stores images.
type Registry struct {
	Kind string `json:"kind"`
	URI  string `json:"uri"`
}
