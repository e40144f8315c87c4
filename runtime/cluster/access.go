package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"pipec.dev/pipec/runtime/cluster/connect"
)

// Finding is what Check found out about one part of a cluster.
type Finding struct {
	Part string `json:"part"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // the state, or what is wrong with it
}

// rights are the permissions that pipec requires of its user, by purpose. They include the coordinator's own
// permissions, because Kubernetes only lets users grant permissions that they have.
var rights = []struct {
	what string
	list []right
}{
	{"rights to apply", []right{
		{"", "serviceaccounts", "get list create patch delete"},
		{"rbac.authorization.k8s.io", "roles", "get list create patch delete"},
		{"rbac.authorization.k8s.io", "rolebindings", "get list create patch delete"},
		{"", "configmaps", "get list create patch delete"},
		{"batch", "cronjobs", "get list watch create patch delete"},
		{"batch", "jobs", "get list watch"},
		{"", "pods", "create delete get list watch"},
		{"", "pods/log", "get"},
		{"coordination.k8s.io", "leases", "create get update"},
	}},
	{"rights to run", []right{
		{"batch", "cronjobs", "get"},
		{"batch", "jobs", "create get list watch patch"},
		{"", "pods", "get list watch"},
		{"", "pods/log", "get"},
	}},
}

type right struct{ group, resource, verbs string }

// Check checks a cluster for what a stack requires, with one finding per part. It changes nothing. account is the service account
// of coordinators if the user manages it, or "".
func Check(ctx context.Context, cluster *connect.Connection, createNamespace bool, account string) []Finding {
	f := Finding{Part: "cluster"}
	facts, err := Ask(ctx, cluster)
	if err != nil {
		f.Text = err.Error()
		return []Finding{f}
	}
	f.OK, f.Text = true, fmt.Sprintf("Kubernetes %s at %s (context %q)", facts.Version, cluster.Host, cluster.Context)
	out := []Finding{f, facts.wrapper()}
	c, err := newClient(cluster)
	if err != nil {
		return append(out, Finding{Part: "namespace", Text: err.Error()})
	}
	out = append(out, c.namespaceFinding(ctx, createNamespace))
	for _, r := range rights {
		out = append(out, c.rightsFinding(ctx, r.what, r.list))
	}
	if account != "" {
		out = append(out, c.accountFinding(ctx, account))
	}
	return out
}

func (f Facts) wrapper() Finding {
	out := Finding{Part: "image volumes", OK: true}
	switch {
	case !imageVolumes(f.Version):
		out.Text = "not enabled in this version: an init container copies the agent into pods, which takes about a second per step"
	case f.Without != "":
		out.Text = "node " + f.Without + " doesn't support them: an init container copies the agent into pods, which takes about a second per step"
	case f.Nodes == 0:
		out.Text = "yes, according to the version; listing nodes is not allowed"
	default:
		out.Text = "yes"
	}
	return out
}

// namespaceFinding reports whether the namespace exists, and which Pod Security level it enforces.
func (c *client) namespaceFinding(ctx context.Context, create bool) Finding {
	f := Finding{Part: "namespace"}
	there, err := c.checkNamespace(ctx)
	switch {
	case err != nil:
		f.Text = err.Error()
		return f
	case !there && create:
		f.OK, f.Text = true, fmt.Sprintf("%s does not exist; apply creates it", c.namespace)
		return f
	case !there:
		f.Text = noNamespace(c.namespace).Error()
		return f
	}
	f.OK, f.Text = true, c.namespace
	u, err := c.objects.Resource(namespaces).Get(ctx, c.namespace, metav1.GetOptions{})
	if err != nil {
		f.Text += "; reading it is not allowed"
		return f
	}
	if level := u.GetLabels()["pod-security.kubernetes.io/enforce"]; level != "" {
		f.Text += "; enforces Pod Security " + level
	} else {
		f.Text += "; does not enforce Pod Security"
	}
	return f
}

// rightsFinding checks each permission of the user, and lists those that are missing.
func (c *client) rightsFinding(ctx context.Context, what string, list []right) Finding {
	f := Finding{Part: what}
	missing, err := missingRights(ctx, list, c.may)
	if err != nil {
		f.Text = err.Error()
		return f
	}
	if len(missing) == 0 {
		f.OK, f.Text = true, "all there"
		return f
	}
	f.Text = "missing in namespace " + c.namespace + ": " + strings.Join(missing, ", ")
	return f
}

// missingRights returns the permissions of a list that are not allowed, as "VERBS RESOURCE".
func missingRights(ctx context.Context, list []right, may func(ctx context.Context, group, resource, verb string) (bool, error)) ([]string, error) {
	type ask struct{ group, resource, verb string }
	var asks []ask
	for _, r := range list {
		for verb := range strings.FieldsSeq(r.verbs) {
			asks = append(asks, ask{r.group, r.resource, verb})
		}
	}
	allowed := make([]bool, len(asks))
	err := each(ctx, len(asks), func(ctx context.Context, i int) error {
		var err error
		allowed[i], err = may(ctx, asks[i].group, asks[i].resource, asks[i].verb)
		return err
	})
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, r := range list {
		var verbs []string
		for i, a := range asks {
			if a.group == r.group && a.resource == r.resource && !allowed[i] && !slices.Contains(verbs, a.verb) {
				verbs = append(verbs, a.verb)
			}
		}
		if len(verbs) > 0 {
			missing = append(missing, strings.Join(verbs, "/")+" "+strings.TrimSuffix(r.resource+"."+r.group, "."))
		}
	}
	return missing, nil
}

var reviews = schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectaccessreviews"}

func (c *client) may(ctx context.Context, group, resource, verb string) (bool, error) {
	resource, sub, _ := strings.Cut(resource, "/")
	u, err := c.objects.Resource(reviews).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"resourceAttributes": map[string]any{
			"namespace": c.namespace, "verb": verb, "group": group, "resource": resource, "subresource": sub,
		}},
	}}, metav1.CreateOptions{})
	if err != nil {
		return false, c.cluster.Explain(err)
	}
	ok, _, _ := unstructured.NestedBool(u.Object, "status", "allowed")
	return ok, nil
}
