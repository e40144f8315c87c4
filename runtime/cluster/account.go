package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"pipec.dev/pipec/schema/kube"
)

var accountReviews = schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "localsubjectaccessreviews"}

// accountFinding checks the service account of coordinators that the user manages: whether it exists, and which of the
// coordinator's rights it lacks.
func (c *client) accountFinding(ctx context.Context, account string) Finding {
	f := Finding{Part: "coordinator's account"}
	there, err := c.get(ctx, kindOf("ServiceAccount"), account)
	switch {
	case err != nil:
		f.Text = err.Error()
		return f
	case there == nil:
		f.Text = fmt.Sprintf("the service account %q does not exist in namespace %s", account, c.namespace)
		return f
	}
	missing, err := missingRights(ctx, coordinatorRights(false), c.mayAs(account))
	var denied *deniedReview
	switch {
	case errors.As(err, &denied):
		f.OK, f.Text = true, account+"; its rights can't be checked: creating localsubjectaccessreviews.authorization.k8s.io is not allowed"
		return f
	case err != nil:
		f.Text = err.Error()
		return f
	case len(missing) > 0:
		f.Text = fmt.Sprintf("%s lacks rights in namespace %s: %s", account, c.namespace, strings.Join(missing, ", "))
		return f
	}
	f.OK, f.Text = true, account+" has all rights"
	if missing, err := missingRights(ctx, coordinatorRights(true), c.mayAs(account)); err == nil && len(missing) > 0 {
		f.Text = fmt.Sprintf("%s has the rights for pipelines without concurrency groups; pipelines with them also need: %s", account, strings.Join(missing, ", "))
	}
	return f
}

func coordinatorRights(grouped bool) []right {
	var out []right
	for _, r := range kube.CoordinatorRights(grouped) {
		out = append(out, right{r.Group, r.Resource, strings.Join(r.Verbs, " ")})
	}
	return out
}

// deniedReview reports that the user may not query the rights of others.
type deniedReview struct{ error }

// mayAs returns a function that queries a right of a service account.
func (c *client) mayAs(account string) func(ctx context.Context, group, resource, verb string) (bool, error) {
	accounts := "system:serviceaccounts"
	return func(ctx context.Context, group, resource, verb string) (bool, error) {
		resource, sub, _ := strings.Cut(resource, "/")
		u, err := c.objects.Resource(accountReviews).Namespace(c.namespace).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "LocalSubjectAccessReview",
			"metadata": map[string]any{"namespace": c.namespace},
			"spec": map[string]any{
				"user":   "system:serviceaccount:" + c.namespace + ":" + account,
				"groups": []any{accounts, accounts + ":" + c.namespace, "system:authenticated"},
				"resourceAttributes": map[string]any{
					"namespace": c.namespace, "verb": verb, "group": group, "resource": resource, "subresource": sub,
				},
			},
		}}, metav1.CreateOptions{})
		if apierrors.IsForbidden(err) {
			return false, &deniedReview{err}
		}
		if err != nil {
			return false, c.cluster.Explain(err)
		}
		ok, _, _ := unstructured.NestedBool(u.Object, "status", "allowed")
		return ok, nil
	}
}
