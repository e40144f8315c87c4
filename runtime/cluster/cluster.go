// Package cluster brings the definitions of pipelines to a cluster and takes them away again: it compares what is wanted
// with what is there, field by field and by the API server's own dry run; applies it as field manager `pipec`; knows what
// it has applied by the labels of a project, and removes what is no longer wanted. It knows objects, not programs: what is
// wanted is given to it. It starts no runs, and never ends one.
package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/kube"
)

// atOnce is how many requests are under way at once.
const atOnce = 8

// kind is one kind of object of a definition.
type kind struct {
	name     string
	resource schema.GroupVersionResource
}

// kinds are all there are, in the order in which they are applied: what refers to another comes after it. They are removed
// in reverse. A table of them saves asking the cluster for all of its own.
var kinds = []kind{
	{"ServiceAccount", schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}},
	{"Role", schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}},
	{"RoleBinding", schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}},
	{"ConfigMap", schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}},
	{"CronJob", schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "cronjobs"}},
}

var (
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	jobs       = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
)

// kindOf is a kind's place in kinds, or -1.
func kindOf(name string) int {
	return slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
}

// client is the cluster as this package asks it. All errors it returns are explained.
type client struct {
	cluster   *connect.Cluster
	objects   dynamic.Interface
	raw       rest.Interface
	namespace string
}

func newClient(c *connect.Cluster) (*client, error) {
	config := rest.CopyConfig(c.Config)
	config.WarningHandler, config.WarningHandlerWithContext = nil, warnings{}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, c.Explain(err)
	}
	objects, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, c.Explain(err)
	}
	plain := dynamic.ConfigFor(config)
	plain.GroupVersion = &schema.GroupVersion{}
	raw, err := rest.UnversionedRESTClientForConfigAndClient(plain, httpClient)
	if err != nil {
		return nil, c.Explain(err)
	}
	return &client{cluster: c, objects: objects, raw: raw, namespace: c.Namespace}, nil
}

// get is an object, or nil where there is none.
func (c *client) get(ctx context.Context, kind int, name string) (*unstructured.Unstructured, error) {
	u, err := c.objects.Resource(kinds[kind].resource).Namespace(c.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return u, c.cluster.Explain(err)
}

// apply is a server-side apply with strict validation. Its error is the API server's own.
func (c *client) apply(ctx context.Context, u *unstructured.Unstructured, dry, force bool) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(u.Object)
	if err != nil {
		return nil, err
	}
	o := metav1.PatchOptions{FieldManager: kube.Manager, Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if dry {
		o.DryRun = []string{metav1.DryRunAll}
	}
	return c.objects.Resource(kinds[kindOf(u.GetKind())].resource).Namespace(c.namespace).Patch(ctx, u.GetName(), types.ApplyPatchType, body, o)
}

// item is what is listed of an object: everything but its content, which may be large.
type item struct {
	kind int
	meta *metav1.PartialObjectMetadata
}

// inventory lists what pipec has applied for a project, and of these pipelines where any are named.
func (c *client) inventory(ctx context.Context, project string, pipelines []string) ([]item, error) {
	selector := kube.LabelManagedBy + "=" + kube.Manager + "," + kube.LabelProject + "=" + kube.LabelValue(project)
	lists := make([][]item, len(kinds))
	err := each(ctx, len(kinds), func(ctx context.Context, i int) error {
		list, err := c.list(ctx, kinds[i].resource, selector)
		if err != nil {
			return err
		}
		for j := range list.Items {
			m := &list.Items[j]
			if len(pipelines) > 0 && !slices.ContainsFunc(pipelines, func(p string) bool { return kube.LabelValue(p) == m.Labels[kube.LabelPipeline] }) {
				continue
			}
			lists[i] = append(lists[i], item{i, m})
		}
		slices.SortFunc(lists[i], func(a, b item) int { return cmp.Compare(a.meta.Name, b.meta.Name) })
		return nil
	})
	return slices.Concat(lists...), err
}

// list lists objects of the namespace without their content. client-go has a client for that too, which would cost the start
// of every command half a millisecond.
func (c *client) list(ctx context.Context, r schema.GroupVersionResource, selector string) (*metav1.PartialObjectMetadataList, error) {
	path := []string{"apis", r.Group, r.Version, "namespaces", c.namespace, r.Resource}
	if r.Group == "" {
		path = append([]string{"api"}, path[2:]...)
	}
	data, err := c.raw.Get().AbsPath(path...).Param("labelSelector", selector).
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json").Do(ctx).Raw()
	if err != nil {
		return nil, c.cluster.Explain(err)
	}
	var list metav1.PartialObjectMetadataList
	return &list, json.Unmarshal(data, &list)
}

// checkNamespace says whether the namespace is there. Who may not look is taken to know that it is.
func (c *client) checkNamespace(ctx context.Context) (bool, error) {
	u, err := c.objects.Resource(namespaces).Get(ctx, c.namespace, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case apierrors.IsForbidden(err):
		return true, nil
	case err != nil:
		return false, c.cluster.Explain(err)
	}
	if u.GetDeletionTimestamp() != nil {
		return false, &connect.Error{Reason: connect.Terminating, Text: fmt.Sprintf("namespace %q is being deleted: nothing new can be created in it", c.namespace), Hint: "Wait until it is gone."}
	}
	return true, nil
}
