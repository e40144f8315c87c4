package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/kube"
)

// builder collects the resources of a recipe.
type builder struct {
	*Recipe
	resources []*resource
	outputs   []output
	bucket    string // the name of the bucket, within a text
	cluster   any    // the name of the cluster
}

// build returns the resources of the recipe in an order in which each comes after those that it refers to.
func (r *Recipe) build() *builder {
	b := &builder{Recipe: r}
	if r.HasBucket() {
		b.buckets()
	}
	if r.Creates(kinds.RecipeRepositories) {
		b.repositories()
	}
	if r.HasCluster() {
		b.clusters()
	}
	if r.HasRoles() {
		for _, namespace := range r.Namespaces {
			b.roles(namespace)
		}
	}
	b.output("Region", "The region.", text(region))
	slices.SortFunc(b.outputs, func(x, y output) int { return strings.Compare(x.name, y.name) })
	return b
}

// add adds a resource. Its tags are added to the properties if its type has a list of tags.
func (b *builder) add(name, kind string, properties object) *resource {
	out := &resource{name: name, kind: kind, properties: properties}
	b.resources = append(b.resources, out)
	return out
}

func (b *builder) output(name, doc string, value any) {
	b.outputs = append(b.outputs, output{name, doc, value})
}

// tags returns the tags of a resource. name is its tag Name, which AWS's console shows; "": it has none.
func (b *builder) tags(name string) list {
	all := maps.Clone(b.Tags)
	if all == nil {
		all = map[string]string{}
	}
	all[TagProject], all[TagStack] = b.Project, b.Stack
	if name != "" {
		all["Name"] = name
	}
	var out list
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, object{"Key": key, "Value": all[key]})
	}
	return out
}

// role adds an IAM role, which the permissions boundary limits.
func (b *builder) role(name, description string, trust document, properties object) *resource {
	properties["AssumeRolePolicyDocument"], properties["Description"], properties["Tags"] = trust, description, b.tags("")
	if b.PermissionsBoundary != "" {
		properties["PermissionsBoundary"] = b.PermissionsBoundary
	}
	return b.add(name, "AWS::IAM::Role", properties)
}

// policy returns a policy of statements.
func policy(statements ...object) document {
	out := make(list, len(statements))
	for i, s := range statements {
		out[i] = s
	}
	return document{"Version": "2012-10-17", "Statement": out}
}

// texts returns a list of texts with references.
func texts(all ...string) list {
	out := make(list, len(all))
	for i, s := range all {
		out[i] = text(s)
	}
	return out
}

// plain returns a list of strings.
func plain(all ...string) list {
	out := make(list, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out
}

// logical returns a logical name: the words of the parts, and a digest if different parts could have the same words.
func logical(prefix string, parts ...string) string {
	out, clear := prefix, true
	for _, part := range parts {
		words := strings.FieldsFunc(part, func(r rune) bool { return r == '-' || r == '.' || r == '_' || r == '/' })
		for i, word := range words {
			out += strings.ToUpper(word[:1]) + word[1:]
			clear = clear && (i == 0 || word[0] >= 'a' && word[0] <= 'z')
		}
	}
	if !clear || len(parts) > 1 {
		sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
		out += "X" + hex.EncodeToString(sum[:])[:6]
	}
	return out
}

// repository returns the name of an ECR repository of the recipe.
func (b *builder) repository(name string) string {
	if name == "" {
		return b.Name
	}
	return b.Name + "/" + name
}

// Repositories returns the names of the ECR repositories of the recipe, sorted.
func (r *Recipe) Repositories() []string {
	b := &builder{Recipe: r}
	out := []string{b.repository(kube.AgentRepository)}
	for _, name := range r.Accounts.Images {
		out = append(out, b.repository(name))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
