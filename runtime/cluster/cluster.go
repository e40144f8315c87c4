// Package cluster applies the definitions of pipelines to a cluster and removes them. It compares the desired objects
// with the live ones field by field, with the API server's dry run. It applies them as field manager `pipec`, finds the
// objects that it applied by the labels of a project, and removes those that are no longer desired. It works on
// objects, not on programs: the caller passes the desired objects. It neither starts nor ends runs.
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

// atOnce is the number of concurrent requests.
const atOnce = 8

// kind is a kind of object that a definition contains.
type kind struct {
	name     string
	resource schema.GroupVersionResource
}

// kinds are all kinds, in the order in which they are applied: each comes after those that it refers to. Removal uses
// the reverse order. The table avoids a query for the cluster's own list of kinds.
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

// kindOf returns the index of a kind in kinds, or -1.
func kindOf(name string) int {
	return slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
}

// client makes this package's requests to the cluster. Its methods return explained errors.
type client struct {
	cluster   *connect.Connection
	objects   dynamic.Interface
	raw       rest.Interface
	namespace string
}

func newClient(c *connect.Connection) (*client, error) {
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

// get returns an object, or nil if it does not exist.
func (c *client) get(ctx context.Context, kind int, name string) (*unstructured.Unstructured, error) {
	u, err := c.objects.Resource(kinds[kind].resource).Namespace(c.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return u, c.cluster.Explain(err)
}

// apply makes a server-side apply with strict validation. It returns the API server's error unchanged.
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

// item is an object without its content, which may be large.
type item struct {
	kind int
	meta *metav1.PartialObjectMetadata
}

// inventory lists the objects that pipec applied for a project. If pipelines are given, it lists theirs only.
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
			if name := m.Annotations[kube.AnnotationPipeline]; name != "" && !kube.InDefinition(kinds[i].name, m.Name, name, m.Annotations[kube.AnnotationSchedule]) {
				continue // renamed after it was emitted: another tool manages it
			}
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

// list lists the objects of the namespace without their content. client-go has a client for that, but its
// initialization would add half a millisecond to the start of every command.
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

// checkNamespace reports whether the namespace exists. It assumes that it does if the user is not allowed to read it.
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
