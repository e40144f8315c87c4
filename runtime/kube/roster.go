package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// member is who holds a place in a group, or waits for one. Its identity is the run's Job, the step and the attempt: a
// coordinator that goes on with a run finds what the one before it has.
type member struct {
	Run     string    `json:"run"` // the Job
	UID     string    `json:"uid"` // its own
	Step    string    `json:"step"`
	Attempt int       `json:"attempt"`
	Since   time.Time `json:"since"`
}

func (m *member) is(o *member) bool {
	return m.UID == o.UID && m.Step == o.Step && m.Attempt == o.Attempt
}

// roster is who is in a group: it stands in annotations of the group's Lease, which is written only as it was read, so
// that of two that want the last place one finds that it is gone.
type roster struct{ holders, waiting []member }

// longestStep is how much of an address stands in a roster; a longer one stands as its place.
const longestStep = 180

// maxWaiting is how many stand in line: the others join it later.
const maxWaiting = 100

func (d *driver) member(h engine.Hold) member {
	step := h.Step
	if len(step) > longestStep {
		step = record.Address(step).SafeName()
	}
	return member{Run: d.o.Job, UID: d.o.JobUID, Step: step, Attempt: h.Attempt}
}

func readRoster(lease *coordinationv1.Lease) (roster, error) {
	var r roster
	for name, list := range map[string]*[]member{kube.AnnotationHolders: &r.holders, kube.AnnotationWaiting: &r.waiting} {
		if text := lease.Annotations[name]; text != "" {
			if err := json.Unmarshal([]byte(text), list); err != nil {
				return r, fmt.Errorf("the annotation %s of the Lease %s can't be read: %w", name, lease.Name, err)
			}
		}
	}
	return r, nil
}

func find(list []member, m *member) int {
	return slices.IndexFunc(list, func(o member) bool { return o.is(m) })
}

// drop takes out of a list those that are told.
func drop(list []member, out func(*member) bool) []member {
	return slices.DeleteFunc(slices.Clone(list), func(m member) bool { return out(&m) })
}

func (r *roster) equal(o *roster) bool {
	same := func(a, b member) bool { return a.is(&b) }
	return slices.EqualFunc(r.holders, o.holders, same) && slices.EqualFunc(r.waiting, o.waiting, same)
}

// writeRoster puts a roster into the group's Lease: one that is new, or as it was read. Without anybody in it the Lease
// is removed.
func (d *driver) writeRoster(ctx context.Context, group string, lease *coordinationv1.Lease, r *roster) (*coordinationv1.Lease, error) {
	if len(r.holders)+len(r.waiting) == 0 {
		if lease == nil {
			return nil, nil
		}
		return nil, d.client.DeleteLease(ctx, lease)
	}
	fresh := lease == nil
	if fresh {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Name: kube.GroupLease(d.program.Project, group), Namespace: d.o.Namespace,
			Labels: map[string]string{kube.LabelManagedBy: kube.Manager, kube.LabelComponent: kube.ComponentGroup},
		}}
		if d.program.Project != "" {
			lease.Labels[kube.LabelProject] = kube.LabelValue(d.program.Project)
		}
	} else {
		lease = lease.DeepCopy()
	}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[kube.AnnotationGroup] = group
	for name, list := range map[string][]member{kube.AnnotationHolders: r.holders, kube.AnnotationWaiting: r.waiting} {
		delete(lease.Annotations, name)
		if len(list) > 0 {
			data, err := json.Marshal(list)
			if err != nil {
				return nil, err
			}
			lease.Annotations[name] = string(data)
		}
	}
	lease.Spec.HolderIdentity = nil
	if len(r.holders) > 0 { // for who looks with kubectl
		lease.Spec.HolderIdentity = &r.holders[0].Run
	}
	if fresh {
		return d.client.CreateLease(ctx, lease)
	}
	return d.client.UpdateLease(ctx, lease)
}

// amend changes a group's roster as change says, again and again until nobody has changed it meanwhile. It gives the
// roster as it is then, and the version of its Lease.
func (d *driver) amend(ctx context.Context, group string, change func(*roster)) (now roster, version string, err error) {
	wait := d.requests.backOff()
	for {
		var unreadable error
		err := d.requests.retry(ctx, "read and write who is in the group "+group, func(ctx context.Context) error {
			lease, err := d.client.GetLease(ctx, kube.GroupLease(d.program.Project, group))
			if apierrors.IsNotFound(err) {
				lease = nil
			} else if err != nil {
				return err
			}
			var was roster
			version = ""
			if lease != nil {
				version = lease.ResourceVersion
				if was, unreadable = readRoster(lease); unreadable != nil {
					return nil // no use to try it again
				}
			}
			now = roster{slices.Clone(was.holders), slices.Clone(was.waiting)}
			change(&now)
			if now.equal(&was) {
				return nil
			}
			written, err := d.writeRoster(ctx, group, lease, &now)
			if err == nil && written != nil {
				version = written.ResourceVersion
			}
			return err
		})
		if unreadable != nil {
			return now, version, unreadable
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			return now, version, err
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return now, "", ctx.Err()
		}
	}
}
