package cluster

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

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

// LiveRun is a run whose Job has not ended.
type LiveRun struct {
	Name     string
	Pipeline string
}

// LiveRuns returns the runs of these pipelines whose Jobs have not ended, sorted by name.
func LiveRuns(ctx context.Context, cluster *connect.Connection, pipelines []string) ([]LiveRun, error) {
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

// AwaitRuns waits until the Jobs of runs have ended or no longer exist. A Job ends a moment after its run: its pod has to
// end, and the cluster has to notice. If ctx ends first, AwaitRuns returns its cause.
func AwaitRuns(ctx context.Context, cluster *connect.Connection, names []string) error {
	c, err := newClient(cluster)
	if err != nil {
		return err
	}
	return each(ctx, len(names), func(ctx context.Context, i int) error { return c.awaitRun(ctx, names[i]) })
}

func (c *client) awaitRun(ctx context.Context, name string) error {
	objects := c.objects.Resource(jobs).Namespace(c.namespace)
	for {
		job, err := objects.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && over(job):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return c.cluster.Explain(err)
		}
		w, err := objects.Watch(ctx, metav1.SingleObject(metav1.ObjectMeta{Name: name, ResourceVersion: job.GetResourceVersion()}))
		if err != nil {
			return c.cluster.Explain(err)
		}
		if untilOver(w) {
			return nil
		}
	}
}

// untilOver watches a Job. It reports whether the Job has ended or was deleted, and not only the watch.
func untilOver(w watch.Interface) bool {
	defer w.Stop()
	for event := range w.ResultChan() {
		if u, ok := event.Object.(*unstructured.Unstructured); event.Type == watch.Deleted || ok && event.Type != watch.Error && over(u) {
			return true
		}
	}
	return false
}
