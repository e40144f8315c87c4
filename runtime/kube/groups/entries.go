package groups

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// Member is a holder of a slot, or a waiter in the queue. Its identity is the run's Job, the step and the attempt, so that a
// successor finds what an earlier coordinator of the run holds.
type Member struct {
	Run     string    `json:"run"` // the name of its Job
	UID     string    `json:"uid"` // the UID of its Job
	Step    string    `json:"step"`
	Attempt int       `json:"attempt"`
	Since   time.Time `json:"since"`
}

func (m *Member) is(o *Member) bool {
	return m.UID == o.UID && m.Step == o.Step && m.Attempt == o.Attempt
}

func engineHolder(m Member) engine.Holder { return engine.Holder{Run: m.Run, Step: m.Step} }

// leases read and write the Leases of groups. They are safe for concurrent use.
type leases struct {
	o    *Options
	host Host
}

// entries are the holders of a group's slots and its queue, from the annotations of the group's Lease.
type entries struct{ holders, queue []Member }

// longestStep limits a step's address in a Lease; a longer one is replaced by its hash.
const longestStep = 180

// maxWaiting limits the queue in the Lease. Further waiters join it later.
const maxWaiting = 100

func (l *leases) member(s engine.Slot) Member {
	step := s.Step
	if len(step) > longestStep {
		step = record.Address(step).SafeName()
	}
	return Member{Run: l.o.Job, UID: l.o.JobUID, Step: step, Attempt: s.Attempt}
}

func readEntries(lease *coordinationv1.Lease) (entries, error) {
	var r entries
	for name, list := range map[string]*[]Member{kube.AnnotationHolders: &r.holders, kube.AnnotationWaiting: &r.queue} {
		if text := lease.Annotations[name]; text != "" {
			if err := json.Unmarshal([]byte(text), list); err != nil {
				return r, fmt.Errorf("the annotation %s of the Lease %s can't be read: %w", name, lease.Name, err)
			}
		}
	}
	return r, nil
}

func find(list []Member, m *Member) int {
	return slices.IndexFunc(list, func(o Member) bool { return o.is(m) })
}

// drop returns a list without the members for which out returns true.
func drop(list []Member, out func(*Member) bool) []Member {
	return slices.DeleteFunc(slices.Clone(list), func(m Member) bool { return out(&m) })
}

func (r *entries) equal(o *entries) bool {
	same := func(a, b Member) bool { return a.is(&b) }
	return slices.EqualFunc(r.holders, o.holders, same) && slices.EqualFunc(r.queue, o.queue, same)
}

// write stores entries in the group's Lease: a new Lease if lease is nil, else the one that was read. It deletes a Lease
// without entries.
func (l *leases) write(ctx context.Context, group string, lease *coordinationv1.Lease, r *entries) (*coordinationv1.Lease, error) {
	if len(r.holders)+len(r.queue) == 0 {
		if lease == nil {
			return nil, nil
		}
		return nil, l.o.Client.DeleteLease(ctx, lease)
	}
	fresh := lease == nil
	if fresh {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Name: kube.GroupLease(l.o.Project, group), Namespace: l.o.Namespace,
			Labels: map[string]string{kube.LabelManagedBy: kube.Manager, kube.LabelComponent: kube.ComponentGroup},
		}}
		if l.o.Project != "" {
			lease.Labels[kube.LabelProject] = kube.LabelValue(l.o.Project)
		}
	} else {
		lease = lease.DeepCopy()
	}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[kube.AnnotationGroup] = group
	for name, list := range map[string][]Member{kube.AnnotationHolders: r.holders, kube.AnnotationWaiting: r.queue} {
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
	if len(r.holders) > 0 { // for kubectl get
		lease.Spec.HolderIdentity = &r.holders[0].Run
	}
	if fresh {
		return l.o.Client.CreateLease(ctx, lease)
	}
	return l.o.Client.UpdateLease(ctx, lease)
}

// amend applies change to a group's entries. It repeats that if another run has changed them concurrently. It returns the new
// entries and the version of their Lease. A coordinator that may have been taken over changes nothing: its successor would
// find a slot that the run does not use, and wait for it. The error is then journal.ErrTakenOver.
func (l *leases) amend(ctx context.Context, group string, change func(*entries)) (now entries, version string, err error) {
	wait := l.o.Requests.BackOff()
	for {
		var unreadable, lost error
		err := l.o.Requests.Retry(ctx, "read and write the holders of group "+group, func(ctx context.Context) error {
			lease, err := l.o.Client.GetLease(ctx, kube.GroupLease(l.o.Project, group))
			if apierrors.IsNotFound(err) {
				lease = nil
			} else if err != nil {
				return err
			}
			var was entries
			version = ""
			if lease != nil {
				version = lease.ResourceVersion
				if was, unreadable = readEntries(lease); unreadable != nil {
					return nil // another request would fail as well
				}
			}
			now = entries{slices.Clone(was.holders), slices.Clone(was.queue)}
			change(&now)
			if now.equal(&was) {
				return nil
			}
			until, err := l.host.MayAct(ctx)
			if errors.Is(err, journal.ErrTakenOver) {
				lost = err
				return nil // another request would fail as well
			}
			if err != nil {
				return err
			}
			ctx, cancel := context.WithDeadline(ctx, until)
			defer cancel()
			written, err := l.write(ctx, group, lease, &now)
			if err == nil && written != nil {
				version = written.ResourceVersion
			}
			return err
		})
		if err := cmp.Or(lost, unreadable); err != nil {
			return now, version, err
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
