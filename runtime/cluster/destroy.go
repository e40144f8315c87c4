package cluster

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/kube"
)

// Destroy returns a plan that removes the definitions of the project, or of the given pipelines of the project, to be
// passed to Apply. A project without a name has no inventory: the given objects are then found by name. Runs remain,
// and so do the objects that live runs need, with a Why.
func Destroy(ctx context.Context, o Options, pipelines []string) (*Changes, error) {
	c, err := newClient(o.Cluster)
	if err != nil {
		return nil, err
	}
	there, err := c.checkNamespace(ctx)
	if err != nil {
		return nil, err
	}
	if !there {
		return &Changes{}, nil
	}
	var items []item
	if o.Project != "" {
		items, err = c.inventory(ctx, o.Project, pipelines)
	} else {
		items, err = c.byName(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	list, err := c.remove(ctx, items)
	return &Changes{List: list}, err
}

// byName finds the objects by name that pipec manages and that belong to no project.
func (c *client) byName(ctx context.Context, o Options) ([]item, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	found := make([]*metav1.PartialObjectMetadata, len(o.Objects))
	err := each(ctx, len(o.Objects), func(ctx context.Context, i int) error {
		u, err := c.get(ctx, kindOf(o.Objects[i].GetKind()), o.Objects[i].GetName())
		if err != nil || u == nil {
			return err
		}
		if labels := u.GetLabels(); labels[kube.LabelManagedBy] == kube.Manager && labels[kube.LabelProject] == "" {
			found[i] = &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
				Name: u.GetName(), UID: u.GetUID(), Labels: labels, Annotations: u.GetAnnotations(),
			}}
		}
		return nil
	})
	var out []item
	for i, m := range found {
		if m != nil {
			out = append(out, item{kindOf(o.Objects[i].GetKind()), m})
		}
	}
	return out, err
}

// LiveRuns returns the names of the runs of these pipelines that have not ended, sorted.
func LiveRuns(ctx context.Context, cluster *connect.Connection, pipelines []string) ([]string, error) {
	c, err := newClient(cluster)
	if err != nil {
		return nil, err
	}
	runs, err := c.liveRuns(ctx)
	if err != nil {
		return nil, err
	}
	return runs.of(pipelines), nil
}
