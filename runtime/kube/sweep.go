package kube

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// sweeper deletes pods: those of attempts that are to end, strays, and those that are no longer needed. It is owned by the
// loop.
type sweeper struct {
	d        *driver
	waiting  []endedPod // to be deleted, the oldest end first
	timer    *time.Timer
	deleting map[types.UID]bool // the pods whose deletion was requested and that exist, as far as is known
	open     int                // requests that have no answer yet
	blocked  []*deletion        // those that wait for the log
	flushing bool               // the log is being written for earlier ones
	ending   bool               // the run has ended: pods that wait are deleted now
}

// endedPod is a pod whose attempt has ended.
type endedPod struct {
	name string
	uid  types.UID
	at   time.Time // when the attempt ended
}

func newSweeper(d *driver) *sweeper { return &sweeper{d: d, deleting: map[types.UID]bool{}} }

// logWait is how long a deletion waits for the log. A log that can't be written does not keep a pod alive.
const logWait = 5 * time.Second

// delete deletes a pod, once, after everything that has happened before since was written to the run's log. The deletion is
// requested until the server obeys; then, asked is called, which may be nil.
func (s *sweeper) delete(name string, uid types.UID, since time.Time, asked func()) {
	if s.deleting[uid] {
		return
	}
	s.deleting[uid] = true
	s.open++
	r := &deletion{s: s, sender: newSender(s.d, s.d.deletes), name: name, uid: uid, asked: asked}
	if behind := s.d.run.Behind(); behind.IsZero() || behind.After(since) {
		r.send()
		return
	}
	s.blocked = append(s.blocked, r)
	if !s.flushing {
		s.flush()
	}
}

// flush sends the deletions that wait for the log when it was written, or after logWait.
func (s *sweeper) flush() {
	ready := s.blocked
	s.blocked, s.flushing = nil, true
	s.d.async(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, logWait)
		defer cancel()
		if err := s.d.run.FlushContext(ctx); errors.Is(err, ErrTakenOver) {
			return nil // the successor decides about the pods
		}
		return func() {
			s.flushing = false
			if len(s.blocked) > 0 {
				s.flush()
			}
			for _, r := range ready {
				r.send()
			}
		}
	})
}

// deletion is the request to delete a pod.
type deletion struct {
	s      *sweeper
	sender *sender
	name   string
	uid    types.UID
	asked  func()
	warned bool
}

// errReplaced means that a pod has another UID: the one that was to be deleted is gone.
var errReplaced = errors.New("another pod has the name")

func (r *deletion) send() { r.sender.send(call{request: r.request, answered: r.answered}) }

func (r *deletion) request(ctx context.Context) error {
	c := r.s.d.client
	err := c.DeletePod(ctx, r.name, r.uid)
	if !apierrors.IsConflict(err) {
		return err
	}
	pod, gone := c.GetPod(ctx, r.name)
	switch {
	case apierrors.IsNotFound(gone):
		return gone
	case gone == nil && pod.UID != r.uid:
		return errReplaced
	}
	return err
}

// answered takes in the answer of the server. Whatever it is, the pod has to go: a request that was refused is sent again.
func (r *deletion) answered(err error) {
	switch {
	case err == nil:
		r.s.open--
		if r.asked != nil {
			r.asked()
		}
	case apierrors.IsNotFound(err), errors.Is(err, errReplaced):
		r.s.open--
		r.s.gone(r.uid)
		r.s.d.attempts.vanished(r.name, r.uid)
	default:
		if !r.warned {
			r.warned = true
			r.s.d.warn("", "the pod "+r.name+" can't be deleted yet: "+err.Error())
		}
		r.sender.again(err, r.send)
	}
}

// gone forgets a pod that doesn't exist any more.
func (s *sweeper) gone(uid types.UID) { delete(s.deleting, uid) }

// leave handles the pod of an attempt that has ended: it is deleted at once if something in it would run on, and after a
// while in a run of many steps. Else it exists as long as the run's Job.
func (s *sweeper) leave(a *attempt) {
	switch {
	case a.pod.uid == "" || a.pod.gone || a.deleting: // there is none, or its deletion was requested
	case a.pod.state.OthersRun || !a.pod.lost.IsZero():
		s.delete(a.name, a.pod.uid, time.Now(), nil)
	default:
		s.keep(a.name, a.pod.uid)
	}
}

// keep leaves a pod that has ended for a while.
func (s *sweeper) keep(name string, uid types.UID) {
	s.waiting = append(s.waiting, endedPod{name, uid, time.Now()})
	if s.big() { // it may grow into one
		s.sweep()
	}
}

// big reports whether the run has so many steps that the pods that have ended are deleted.
func (s *sweeper) big() bool { return s.d.run.Len() >= bigRun }

// finish deletes the pods that wait, if the run is a big one. It is called when the run has ended.
func (s *sweeper) finish() {
	s.ending = true
	if s.big() {
		s.sweep()
	}
}

// sweep deletes the pods whose time has come.
func (s *sweeper) sweep() {
	for len(s.waiting) > 0 && (s.ending || time.Since(s.waiting[0].at) >= keepPods) {
		p := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.delete(p.name, p.uid, p.at.Add(time.Second), nil)
	}
	if len(s.waiting) > 0 && s.timer == nil {
		s.timer = s.d.after(keepPods-time.Since(s.waiting[0].at), func() {
			s.timer = nil
			s.sweep()
		})
	}
}
