package kinds

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// MaxEnvironment is the maximum length of the name of an environment: the name of its bucket also contains the number of the
// account and the region, and has at most 63 characters.
const MaxEnvironment = 34

// The parts of a recipe that can be made.
const (
	RecipeBucket       = "bucket"
	RecipeCluster      = "cluster"
	RecipeNetwork      = "network"
	RecipeRepositories = "repositories"
)

// How pods get their roles.
const (
	PodIdentity = "pod_identity"
	IRSA        = "irsa"
)

var (
	awsRegion  = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}$`)
	awsBucket  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	awsCluster = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$`)
	awsSubnet  = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
	awsPrefix  = regexp.MustCompile(`^[0-9A-Za-z_.-]+(/[0-9A-Za-z_.-]+)*$`)
	awsTag     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)
	arnPolicy  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$`)
	arnOIDC    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/.+$`)
)

// aws is the recipe of an AWS account.
func aws() *Recipe {
	return &Recipe{
		Kind: "aws",
		Doc:  "an S3 bucket, ECR repositories, and an EKS cluster with Auto Mode in a network of its own, by one CloudFormation stack for each project and stack.",
		Attributes: []Attribute{
			{Name: "region", Type: "string", Required: true, Doc: "The region of everything that is made."},
			{Name: "create", Type: "list(string)", Doc: "What is made: `bucket`, `repositories`, `network`, `cluster`. Default: everything that the block doesn't name as existing."},
			{Name: "bucket", Type: "string", Doc: "The name of an existing bucket, instead of a new one."},
			{Name: "cluster", Type: "string", Doc: "The name of an existing EKS cluster, instead of a new one. It needs the EKS Pod Identity Agent, or `identity = \"irsa\"`."},
			{Name: "subnets", Type: "list(string)", Doc: "Existing subnets, in at least two availability zones, for the new cluster, instead of a new network."},
			{Name: "prefix", Type: "string", Default: `"pipec"`, Doc: "Where the artifact store is in the bucket. The roles of pods are limited to it. `\"\"` is the whole bucket."},
			{Name: "namespaces", Type: "list(string)", Doc: "The namespaces in which the project's pipelines run. Each has roles of its own. Default: the namespace of the orchestrator."},
			{Name: "identity", Type: "string", OneOf: []string{PodIdentity, IRSA}, Default: `"pod_identity"`, Doc: "How pods get their roles: by EKS Pod Identity, or by IAM roles for service accounts, for an existing cluster that has no Pod Identity Agent."},
			{Name: "oidc_provider", Type: "string", Doc: "The ARN of the existing cluster's identity provider in IAM, for `identity = \"irsa\"`."},
			{Name: "permissions_boundary", Type: "string", Doc: "The ARN of the policy that limits all roles."},
			{Name: "deletion_protection", Type: "bool", Default: "false", Doc: "The CloudFormation stack and the cluster can't be deleted until this is `false` again."},
			{Name: "tags", Type: "map(string)", Doc: "Tags of everything that is made, besides `pipec:project` and `pipec:stack`."},
		},
		Outputs: []Output{
			{Name: "bucket", Doc: "the name of the bucket", Stand: "pending-bucket"},
			{Name: "cluster", Doc: "the ARN of the cluster, for `eks_cluster`", Stand: "arn:aws:eks:pending:000000000000:cluster/pending"},
			{Name: "coordinator_role", Doc: "the ARN of the coordinators' role in the namespace of the orchestrator", Stand: "arn:aws:iam::000000000000:role/pending-coordinator"},
			{Name: "region", Doc: "the region", Stand: "pending-region-1"},
			{Name: "registry", Doc: "the address of the registry, with a prefix for this stack", Stand: "000000000000.dkr.ecr.pending.amazonaws.com/pending"},
			{Name: "steps_role", Doc: "the ARN of the steps' role in the namespace of the orchestrator", Stand: "arn:aws:iam::000000000000:role/pending-steps"},
		},
		Read:     readAWS,
		Has:      awsHas,
		Complete: completeAWS,
	}
}

func readAWS(v Values, r *program.Recipe) []Fault {
	r.Region, r.Bucket, r.Cluster, r.Subnets = v.String("region"), v.String("bucket"), v.String("cluster"), v.Strings("subnets")
	r.OIDCProvider, r.PermissionsBoundary = v.String("oidc_provider"), v.String("permissions_boundary")
	r.DeletionProtection, r.Tags = v.Bool("deletion_protection"), v.Map("tags")
	r.Prefix, r.Identity = "pipec", PodIdentity
	if prefix, set := v["prefix"].(string); set {
		r.Prefix = prefix
	}
	if identity := v.String("identity"); identity != "" {
		r.Identity = identity
	}
	r.Namespaces = sorted(v.Strings("namespaces"))
	faults := matching(v, "region", awsRegion, `is not a region of AWS`, `It is written as "eu-central-1".`)
	faults = append(faults, matching(v, "bucket", awsBucket, "is not the name of a bucket", "It has 3 to 63 lower-case letters, digits, dots and dashes, without s3://.")...)
	faults = append(faults, matching(v, "cluster", awsCluster, "is not the name of an EKS cluster", "It has letters, digits, dashes and underscores.")...)
	faults = append(faults, matching(v, "prefix", awsPrefix, "is not a prefix in a bucket", `It is written as "pipec" or "teams/vision", with no / at its start and its end.`)...)
	faults = append(faults, matching(v, "permissions_boundary", arnPolicy, "is not the ARN of a policy", "It is written as arn:aws:iam::ACCOUNT:policy/NAME.")...)
	faults = append(faults, matching(v, "oidc_provider", arnOIDC, "is not the ARN of an identity provider", "It is written as arn:aws:iam::ACCOUNT:oidc-provider/oidc.eks.REGION.amazonaws.com/id/ID.")...)
	for _, name := range r.Subnets {
		if !awsSubnet.MatchString(name) {
			faults = append(faults, Fault{Attribute: "subnets", Text: fmt.Sprintf("%q is not the ID of a subnet", name), Detail: "It is written as subnet-0123456789abcdef0."})
		}
	}
	for _, name := range r.Namespaces {
		if len(validation.IsDNS1123Label(name)) > 0 {
			faults = append(faults, Fault{Code: "invalid-name", Attribute: "namespaces", Text: fmt.Sprintf("%q is not a valid Kubernetes name of a namespace", name)})
		}
	}
	faults = append(faults, readTags(r.Tags)...)
	faults = append(faults, readCreate(v, r)...)
	return append(faults, readIdentity(v, r)...)
}

// matching reports a string that is set and doesn't match.
func matching(v Values, name string, form *regexp.Regexp, text, detail string) []Fault {
	value := v.String(name)
	if value == "" || form.MatchString(value) && !strings.Contains(value, "..") {
		return nil
	}
	return []Fault{{Attribute: name, Text: fmt.Sprintf("%q %s", value, text), Detail: detail}}
}

// maxTags is how many tags a recipe may have: AWS allows 50, and pipec and CloudFormation add their own.
const maxTags = 40

func readTags(tags map[string]string) (faults []Fault) {
	fault := func(format string, args ...any) {
		faults = append(faults, Fault{Attribute: "tags", Text: fmt.Sprintf(format, args...)})
	}
	if len(tags) > maxTags {
		fault("there are %d tags, and at most %d are allowed", len(tags), maxTags)
	}
	for _, key := range sortedKeys(tags) {
		low := strings.ToLower(key)
		switch value := tags[key]; {
		case strings.HasPrefix(low, "aws:") || strings.HasPrefix(low, "pipec:"):
			fault("the tag %q has a prefix that is reserved: aws: and pipec:", key)
		case key == "" || len([]rune(key)) > 128 || !awsTag.MatchString(key):
			fault("%q is not a valid key of a tag", key)
		case len([]rune(value)) > 256 || !awsTag.MatchString(value):
			fault("the value of the tag %q is not valid: it has at most 256 letters, digits, spaces and _.:/=+@-", key)
		}
	}
	return faults
}

// readCreate reads what is made, and reports what can't be made beside what exists.
func readCreate(v Values, r *program.Recipe) (faults []Fault) {
	all := []string{RecipeBucket, RecipeCluster, RecipeNetwork, RecipeRepositories}
	existing := map[string]string{RecipeBucket: "bucket", RecipeCluster: "cluster", RecipeNetwork: "subnets"}
	named := map[string]bool{RecipeBucket: r.Bucket != "", RecipeCluster: r.Cluster != "", RecipeNetwork: len(r.Subnets) > 0}
	if _, set := v["create"]; !set {
		for _, part := range all {
			if !named[part] && (part != RecipeNetwork || r.Cluster == "") {
				r.Create = append(r.Create, part)
			}
		}
	} else {
		r.Create = sorted(v.Strings("create"))
	}
	for _, part := range r.Create {
		switch {
		case !slices.Contains(all, part):
			faults = append(faults, Fault{Attribute: "create", Text: fmt.Sprintf("a recipe can't create %q", part), Detail: "It creates " + strings.Join(all, ", ") + "."})
		case named[part]:
			faults = append(faults, Fault{
				Attribute: "create", Text: fmt.Sprintf("the recipe creates a %s, and names an existing one", part), See: existing[part], SeeText: "the existing one is named here",
				Suggestion: fmt.Sprintf("remove %s, or remove %q from create", existing[part], part),
			})
		}
	}
	makes := func(part string) bool { return slices.Contains(r.Create, part) }
	switch {
	case makes(RecipeCluster) && !makes(RecipeNetwork) && len(r.Subnets) == 0:
		faults = append(faults, Fault{Attribute: "create", Text: "a new cluster needs a network", Suggestion: `add "network" to create, or set subnets`})
	case makes(RecipeNetwork) && !makes(RecipeCluster):
		faults = append(faults, Fault{Attribute: "create", Text: "a network is only made for a new cluster", Suggestion: `add "cluster" to create, or remove "network"`})
	case len(r.Subnets) > 0 && !makes(RecipeCluster):
		faults = append(faults, Fault{Attribute: "subnets", AtName: true, Text: "subnets are those of a new cluster, and the recipe makes none", Suggestion: "remove subnets"})
	case makes(RecipeCluster) && len(r.Subnets) == 1:
		faults = append(faults, Fault{Attribute: "subnets", Text: "an EKS cluster needs subnets in at least two availability zones, found one subnet"})
	case len(r.Create) == 0 && r.Cluster == "":
		faults = append(faults, Fault{Attribute: "create", Text: "the recipe makes nothing", Suggestion: "remove the recipe, or add to create"})
	}
	return faults
}

func readIdentity(v Values, r *program.Recipe) []Fault {
	irsa := r.Identity == IRSA
	switch {
	case irsa && r.Cluster == "":
		return []Fault{{Attribute: "identity", Text: "a new cluster has EKS Pod Identity", Suggestion: "remove identity, or name an existing cluster with `cluster`"}}
	case irsa && r.OIDCProvider == "":
		return []Fault{{
			Code: "missing", Attribute: "identity", Text: `identity = "irsa" requires oidc_provider`,
			Detail: "`aws iam list-open-id-connect-providers` lists the ARNs.",
		}}
	case !irsa && r.OIDCProvider != "":
		return []Fault{{Attribute: "oidc_provider", AtName: true, Text: `oidc_provider has no effect without identity = "irsa"`, Suggestion: `write identity = "irsa", or remove oidc_provider`}}
	}
	return nil
}

// awsHas reports whether the recipe makes or names an output.
func awsHas(r *program.Recipe, output string) (bool, string) {
	part := output
	switch output {
	case "registry":
		part = RecipeRepositories
	case "coordinator_role", "steps_role":
		if r.HasRoles() {
			return true, ""
		}
		return false, "roles are made for a bucket and a cluster, which the recipe makes or names"
	case "region":
		return true, ""
	}
	named := part == RecipeBucket && r.Bucket != "" || part == RecipeCluster && r.Cluster != ""
	if named || slices.Contains(r.Create, part) {
		return true, ""
	}
	return false, fmt.Sprintf("add %q to create", part)
}

// completeAWS checks the recipe beside the other blocks of its stack.
func completeAWS(project string, s *program.Stack, reads func(block, output string) bool) (faults []Fault) {
	r := s.Recipe
	if project == "" {
		return []Fault{{Text: "a recipe requires the name of the project, after which its resources are named", Suggestion: `write pipec { project = "NAME" }`}}
	}
	r.Name = kube.Name("pipec-"+project+"-"+s.Name, MaxEnvironment)
	namespace := s.Orchestrator.Namespace
	switch {
	case len(r.Namespaces) == 0 && namespace != "":
		r.Namespaces = []string{namespace}
	case namespace != "" && !slices.Contains(r.Namespaces, namespace):
		faults = append(faults, Fault{
			Attribute: "namespaces", Text: fmt.Sprintf("the namespace of the orchestrator, %q, is not in the list", namespace), Suggestion: fmt.Sprintf("add %q", namespace),
		})
	}
	if roles := reads("artifact_store", "coordinator_role") || reads("artifact_store", "steps_role"); roles && len(r.Namespaces) == 0 {
		faults = append(faults, Fault{Code: "missing", Attribute: "namespaces", Text: "roles are made for namespaces, and the orchestrator has none", Suggestion: `write namespaces = ["NAME"]`})
	}
	if bucket, path := splitS3(s.ArtifactStore.Path); reads("artifact_store", "bucket") && bucket != "" && path != r.Prefix {
		shown := strings.TrimRight("s3://${recipe.bucket}/"+r.Prefix, "/")
		faults = append(faults, Fault{
			Block: "artifact_store", Attribute: "path", Text: "the path is not the prefix of the recipe, to which the roles are limited",
			Suggestion: fmt.Sprintf("write path = %q, or change prefix in the recipe", shown),
		})
	}
	if r.Identity == IRSA && r.HasRoles() && namespace != "" && s.ArtifactStore.Role == "" && s.ArtifactStore.Secret == "" {
		faults = append(faults, Fault{
			Code: "missing", Block: "artifact_store", Attribute: "role", Text: `identity = "irsa" requires the roles of the service accounts`,
			Suggestion: "write role = recipe.coordinator_role and steps_role = recipe.steps_role",
		})
	}
	return faults
}

// splitS3 returns the bucket and the prefix of a path; both "" for a path of another form.
func splitS3(path string) (bucket, prefix string) {
	rest, ok := strings.CutPrefix(path, "s3://")
	if !ok {
		return "", ""
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	return bucket, strings.Trim(prefix, "/")
}

// sorted returns the texts in order, each once.
func sorted(texts []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(texts)))
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
