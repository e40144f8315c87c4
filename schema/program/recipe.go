package program

import "slices"

// Recipe describes the infrastructure of a stack: what `pipec stack up` makes in a cloud, and the names of what exists
// already. Its kinds are rows of package schema/kinds. The fields are those of kind aws.
type Recipe struct {
	Kind string `json:"kind"`
	// Name is the name of the environment: of the CloudFormation stack, and the beginning of the names of what it makes.
	Name       string   `json:"name"`
	Region     string   `json:"region"`
	Create     []string `json:"create"`            // sorted: bucket, cluster, network, repositories
	Bucket     string   `json:"bucket,omitempty"`  // an existing bucket
	Cluster    string   `json:"cluster,omitempty"` // an existing cluster
	Subnets    []string `json:"subnets,omitempty"` // existing subnets for the cluster that is made
	Prefix     string   `json:"prefix"`            // of the artifact store in the bucket; "": the whole bucket
	Namespaces []string `json:"namespaces"`        // sorted; those in which pipelines may run
	// Identity is how pods get their roles: pod_identity or irsa.
	Identity string `json:"identity"`
	// OIDCProvider is the ARN of the cluster's identity provider in IAM, for irsa.
	OIDCProvider        string            `json:"oidc_provider,omitempty"`
	PermissionsBoundary string            `json:"permissions_boundary,omitempty"`
	DeletionProtection  bool              `json:"deletion_protection"`
	Tags                map[string]string `json:"tags,omitempty"`
}

// Creates reports whether the recipe makes a part: bucket, cluster, network or repositories.
func (r *Recipe) Creates(part string) bool { return slices.Contains(r.Create, part) }

// HasBucket reports whether the recipe makes or names a bucket.
func (r *Recipe) HasBucket() bool { return r.Bucket != "" || r.Creates("bucket") }

// HasCluster reports whether the recipe makes or names a cluster.
func (r *Recipe) HasCluster() bool { return r.Cluster != "" || r.Creates("cluster") }

// HasRoles reports whether the recipe makes roles for pods: it needs a bucket that they may read, and a cluster.
func (r *Recipe) HasRoles() bool { return r.HasBucket() && r.HasCluster() }

// Accounts are the names that the recipe of a stack needs from the pipelines of the project. All are sorted.
type Accounts struct {
	Coordinators []string `json:"coordinators,omitempty"` // service accounts of coordinators
	Steps        []string `json:"steps,omitempty"`        // service accounts of steps
	Images       []string `json:"images,omitempty"`       // names of images that are built, below the URI of the registry
}

// LockedRecipe is what the recipe of a stack has made.
type LockedRecipe struct {
	// Outputs are the values of recipe.NAME, by name.
	Outputs map[string]string `json:"outputs"`
	// Accounts are those to which roles are bound.
	Accounts Accounts `json:"accounts"`
}
