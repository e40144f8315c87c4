// Package external finds and removes the objects of a cluster that have something outside of it: load balancers and volumes. They would
// remain in the cloud, and cost money, if the cluster were deleted before them. It is for clusters that are about to be deleted, and
// looks at all namespaces.
package external

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Object is an object with something outside of the cluster.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns the kind, the namespace and the name.
func (o Object) String() string { return fmt.Sprintf("%s %s/%s", o.Kind, o.Namespace, o.Name) }

const claimKind = "PersistentVolumeClaim"

var (
	claims    = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	services  = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	ingresses = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
	pods      = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

var resources = map[string]schema.GroupVersionResource{claimKind: claims, "Service": services, "Ingress": ingresses}

// Client finds and removes objects.
type Client struct {
	Objects dynamic.Interface
	Pause   time.Duration // between two requests for what remains; 0: two seconds
}

// New returns a client for a cluster.
func New(config *rest.Config) (*Client, error) {
	objects, err := dynamic.NewForConfig(config)
	return &Client{Objects: objects}, err
}

// List returns the objects of all namespaces, sorted.
func (c *Client) List(ctx context.Context) ([]Object, error) {
	var out []Object
	for kind, resource := range resources {
		err := c.each(ctx, resource, func(u *unstructured.Unstructured) {
			if kind == "Service" {
				if typ, _, _ := unstructured.NestedString(u.Object, "spec", "type"); typ != "LoadBalancer" {
					return
				}
			}
			out = append(out, Object{kind, u.GetNamespace(), u.GetName()})
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// pageSize is how many objects one request returns.
const pageSize = 500

func (c *Client) each(ctx context.Context, resource schema.GroupVersionResource, f func(*unstructured.Unstructured)) error {
	for next := ""; ; {
		page, err := c.Objects.Resource(resource).List(ctx, metav1.ListOptions{Limit: pageSize, Continue: next})
		if err != nil {
			return err
		}
		for i := range page.Items {
			f(&page.Items[i])
		}
		if next = page.GetContinue(); next == "" {
			return nil
		}
	}
}

// Remove deletes the objects, with the pods that use the claims, and waits until they don't exist any more. gone is called with each.
func (c *Client) Remove(ctx context.Context, objects []Object, gone func(Object)) error {
	for remaining := slices.Clone(objects); ; {
		var next []Object
		for _, o := range remaining {
			err := c.Objects.Resource(resources[o.Kind]).Namespace(o.Namespace).Delete(ctx, o.Name, metav1.DeleteOptions{})
			switch {
			case apierrors.IsNotFound(err):
				gone(o)
			case err != nil:
				return fmt.Errorf("%s can't be deleted: %w", o, err)
			default:
				next = append(next, o)
			}
		}
		if remaining = next; len(remaining) == 0 {
			return nil
		}
		if err := c.free(ctx, remaining); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(cmp.Or(c.Pause, 2*time.Second)):
		}
	}
}

// free deletes the pods that use the claims: a claim exists as long as a pod uses it.
func (c *Client) free(ctx context.Context, objects []Object) error {
	used := map[string]bool{}
	for _, o := range objects {
		if o.Kind == claimKind {
			used[o.Namespace+"/"+o.Name] = true
		}
	}
	if len(used) == 0 {
		return nil
	}
	var users []Object
	err := c.each(ctx, pods, func(u *unstructured.Unstructured) {
		volumes, _, _ := unstructured.NestedSlice(u.Object, "spec", "volumes")
		for _, v := range volumes {
			volume, _ := v.(map[string]any)
			if name, found, _ := unstructured.NestedString(volume, "persistentVolumeClaim", "claimName"); found && used[u.GetNamespace()+"/"+name] {
				users = append(users, Object{"Pod", u.GetNamespace(), u.GetName()})
				return
			}
		}
	})
	for _, o := range users {
		if e := c.Objects.Resource(pods).Namespace(o.Namespace).Delete(ctx, o.Name, metav1.DeleteOptions{}); e != nil && !apierrors.IsNotFound(e) {
			return fmt.Errorf("%s can't be deleted: %w", o, e)
		}
	}
	return err
}
