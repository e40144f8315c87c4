package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"pipec.dev/pipec/runtime/cluster/connect"
)

// goneIn is how long to wait until an object is deleted before that is an error: finalizers can delay it indefinitely.
const goneIn = time.Minute

// delete removes exactly the object that the plan saw, and waits until it no longer exists. Removing a CronJob keeps
// its Jobs: runs are ended by their owners, and expire by their time to live.
func (a *applier) delete(ctx context.Context, ch *Change) error {
	o := metav1.DeleteOptions{}
	if ch.Live != nil {
		uid := types.UID(ch.Live.UID)
		o.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	if ch.Kind == "CronJob" {
		orphan := metav1.DeletePropagationOrphan
		o.PropagationPolicy = &orphan
	}
	err := a.objects.Resource(kinds[kindOf(ch.Kind)].resource).Namespace(a.namespace).Delete(ctx, ch.Name, o)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err):
		return &connect.Error{Reason: connect.Conflict, Text: fmt.Sprintf("%s %q was recreated after the plan was made", ch.Kind, ch.Name), Hint: "Plan again.", Err: err}
	case err != nil:
		return a.cluster.Explain(err)
	}
	return a.gone(ctx, ch)
}

// gone waits until an object that is being deleted no longer exists, or another object has its name.
func (a *applier) gone(ctx context.Context, ch *Change) error {
	objects := a.objects.Resource(kinds[kindOf(ch.Kind)].resource).Namespace(a.namespace)
	within, cancel := context.WithTimeoutCause(ctx, goneIn, errors.New("not gone in time"))
	defer cancel()
	for {
		live, err := objects.Get(within, ch.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && ch.Live != nil && string(live.GetUID()) != ch.Live.UID:
			return nil
		case err != nil && ctx.Err() == nil && within.Err() != nil:
			return a.held(ch, nil)
		case err != nil:
			return a.cluster.Explain(err)
		}
		w, err := objects.Watch(within, metav1.SingleObject(metav1.ObjectMeta{Name: ch.Name, ResourceVersion: live.GetResourceVersion()}))
		if err != nil {
			return a.cluster.Explain(err)
		}
		last, deleted := watched(w, live)
		if deleted {
			return nil
		}
		if within.Err() != nil && ctx.Err() == nil {
			return a.held(ch, last)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// watched watches an object until it is deleted or the watch ends.
func watched(w watch.Interface, live *unstructured.Unstructured) (*unstructured.Unstructured, bool) {
	defer w.Stop()
	for event := range w.ResultChan() {
		switch event.Type {
		case watch.Deleted:
			return nil, true
		case watch.Error:
			return live, false
		}
		if u, ok := event.Object.(*unstructured.Unstructured); ok {
			live = u
		}
	}
	return live, false
}

func (a *applier) held(ch *Change, live *unstructured.Unstructured) error {
	text := fmt.Sprintf("%s %q is being deleted, but still exists after %s", ch.Kind, ch.Name, goneIn)
	if live != nil && len(live.GetFinalizers()) > 0 {
		text += ": held by finalizers " + strings.Join(live.GetFinalizers(), ", ")
	}
	return &connect.Error{Reason: connect.Terminating, Text: text}
}
