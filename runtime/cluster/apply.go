package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/schema/kube"
)

// ConflictError reports that applying stops because other field managers own fields.
type ConflictError struct{ Changes []*Change }

func (e *ConflictError) Error() string {
	text := "other field managers own fields that pipec would change:"
	kubectl := false
	for _, ch := range e.Changes {
		for _, c := range ch.Conflicts {
			kubectl = kubectl || c.Manager == "kubectl-client-side-apply"
			text += fmt.Sprintf("\n  %s %q: %s is managed by %q", ch.Kind, ch.Name, c.Field, c.Manager)
		}
	}
	if kubectl {
		text += "\nObjects that kubectl applied, such as the output of emit, stay with kubectl: run emit again, with the cluster's kubernetes_version in the stack."
	}
	return text + "\nTo keep their values, write them into the pipeline. To take the fields over, use --force-conflicts."
}

// PartialError reports that applying failed after some changes were made.
type PartialError struct {
	Done []Change
	Left int
	Err  error
}

func (e *PartialError) Error() string {
	text := e.Err.Error()
	if len(e.Done) == 0 {
		return text + "\nNothing has been changed."
	}
	return fmt.Sprintf("%s\n%d of %d changes have been made; apply again to make the rest.", text, len(e.Done), len(e.Done)+e.Left)
}

func (e *PartialError) Unwrap() error { return e.Err }

// Apply makes the changes of a plan with the same options. done is called after each change and may be nil. If applying
// fails after the first change, the error is a *PartialError, and the next Apply makes the rest of the changes.
func Apply(ctx context.Context, o Options, plan *Changes, done func(Change)) error {
	if found := plan.Conflicts(); len(found) > 0 && !o.Force {
		return &ConflictError{found}
	}
	if plan.Empty() {
		return nil
	}
	c, err := newClient(o.Cluster)
	if err != nil {
		return err
	}
	a := &applier{client: c, force: o.Force, tell: done}
	if err := a.all(ctx, plan); err != nil {
		return &PartialError{Done: a.done, Left: plan.Count(Create, Update, Replace, Delete) - len(a.done), Err: err}
	}
	return nil
}

type applier struct {
	*client
	force bool
	tell  func(Change)

	mu   sync.Mutex
	done []Change
}

// all creates the namespace, then writes objects so that each comes after those that it refers to, then removes objects
// in the opposite order.
func (a *applier) all(ctx context.Context, plan *Changes) error {
	for i := range plan.List {
		if ch := &plan.List[i]; ch.Kind == "Namespace" && ch.Action == Create {
			if err := a.makeNamespace(ctx, ch); err != nil {
				return err
			}
		}
	}
	for _, k := range kinds {
		var some []*Change
		for i := range plan.List {
			if ch := &plan.List[i]; ch.Kind == k.name && (ch.Action == Create || ch.Action == Update || ch.Action == Replace) {
				some = append(some, ch)
			}
		}
		if err := each(ctx, len(some), func(ctx context.Context, i int) error { return a.write(ctx, some[i]) }); err != nil {
			return err
		}
	}
	return a.removeAll(ctx, plan)
}

func (a *applier) made(ch *Change) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done = append(a.done, *ch)
	if a.tell != nil {
		a.tell(*ch)
	}
}

func (a *applier) makeNamespace(ctx context.Context, ch *Change) error {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": ch.Name}}}
	_, err := a.objects.Resource(namespaces).Create(ctx, u, metav1.CreateOptions{FieldManager: kube.Manager})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return a.cluster.Explain(err)
	}
	a.made(ch)
	return nil
}

func (a *applier) write(ctx context.Context, ch *Change) error {
	if ch.Action == Replace {
		if err := a.delete(ctx, ch); err != nil {
			return err
		}
	}
	if _, err := a.apply(ctx, ch.desired, false, a.force); err != nil {
		if found := conflicts(err); len(found) > 0 { // which appeared after the plan was made
			now := *ch
			now.Conflicts = found
			return &ConflictError{[]*Change{&now}}
		}
		return a.about(ch.desired, err)
	}
	a.made(ch)
	return nil
}

// removeAll checks again which objects live runs need, because a run may have started after the plan was made.
func (a *applier) removeAll(ctx context.Context, plan *Changes) error {
	var some []*Change
	for i := range plan.List {
		if plan.List[i].Action == Delete {
			some = append(some, &plan.List[i])
		}
	}
	if len(some) == 0 {
		return nil
	}
	for _, k := range slices.Backward(kinds) {
		runs, err := a.liveRuns(ctx)
		if err != nil {
			return err
		}
		var now []*Change
		for _, ch := range some {
			if ch.Kind != k.name {
				continue
			}
			meta := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: ch.Name, Labels: map[string]string{kube.LabelPipeline: kube.LabelValue(ch.Pipeline)}}}
			if run := runs.need(item{kindOf(ch.Kind), meta}); run != "" {
				kept := *ch
				kept.Action, kept.Why = Keep, run
				a.made(&kept)
				continue
			}
			now = append(now, ch)
		}
		if err := each(ctx, len(now), func(ctx context.Context, i int) error {
			err := a.delete(ctx, now[i])
			if err == nil {
				a.made(now[i])
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
