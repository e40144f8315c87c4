package local

import (
	"context"
	"fmt"
	"sync"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/work/groups"
	"pipec.dev/pipec/schema/record"
)

// slots are the slots in concurrency groups that the run holds or has requested. It is safe for concurrent use.
type slots struct {
	*scene
	project groups.Groups

	mu       sync.Mutex
	groups   map[string]*groups.Group
	held     map[engine.Slot]*groups.Slot
	requests map[engine.Slot]*slotRequest
	retaking map[engine.Slot]chan struct{} // see retake; closed when the slot was taken or could not be taken
}

// slotRequest is a request that is not answered yet. It is guarded by slots.mu.
type slotRequest struct {
	cancel    context.CancelFunc
	withdrawn bool
}

func newSlots(s *scene) *slots {
	return &slots{
		scene: s, project: groups.Of(s.machine.dir), groups: map[string]*groups.Group{}, held: map[engine.Slot]*groups.Slot{},
		requests: map[engine.Slot]*slotRequest{}, retaking: map[engine.Slot]chan struct{}{},
	}
}

// request returns the task that takes a slot. It ends with GroupEntered or GroupBusy, or without an event if the request was
// withdrawn.
func (s *slots) request(ctx context.Context, a engine.RequestSlot) task {
	ctx, cancel := context.WithCancel(ctx)
	r := &slotRequest{cancel: cancel}
	s.mu.Lock()
	s.requests[a.Slot] = r
	s.mu.Unlock()
	return func() (record.Event, func()) {
		defer cancel()
		e := record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt}
		slot, holders, err := s.take(ctx, a)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.requests, a.Slot)
		switch {
		case slot != nil && r.withdrawn:
			slot.Release()
			return record.Event{}, nil
		case slot != nil:
			s.held[a.Slot] = slot
			return e, nil
		case r.withdrawn || ctx.Err() != nil:
			return record.Event{}, nil
		case err != nil:
			e.Type, e.Reason, e.Text = record.GroupBusy, record.ReasonGroup, fmt.Sprintf("group %s can't be entered: %s", a.Group, err)
		default:
			e.Type, e.Text = record.GroupBusy, fmt.Sprintf("group %s is busy: %s", a.Group, engine.DescribeHolders(holders, engineHolder))
		}
		return e, nil
	}
}

// take waits for a slot and takes it. If a.Skip is set it does not wait, and returns the holders if all slots are held.
func (s *slots) take(ctx context.Context, a engine.RequestSlot) (*groups.Slot, []groups.Holder, error) {
	h := groups.Holder{Run: s.record.Name, Step: a.Step, Attempt: a.Attempt, Since: now()}
	if a.Skip {
		return s.group(a.Group).Try(a.Limit, h)
	}
	since, waited := now(), false
	slot, err := s.group(a.Group).Wait(ctx, a.Limit, h, func(holders []groups.Holder) {
		waited = true
		s.run.Report(record.Event{
			Type: record.StepWaiting, At: since, Step: a.Step, Attempt: a.Attempt,
			Text: fmt.Sprintf("a slot in group %s: %s", a.Group, engine.DescribeHolders(holders, engineHolder)),
		})
	})
	if waited {
		s.run.Report(record.Event{Type: record.StepWaiting, Step: a.Step, Attempt: a.Attempt})
	}
	return slot, nil, err
}

func (s *slots) group(name string) *groups.Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[name]
	if g == nil {
		g = s.project.Group(name)
		s.groups[name] = g
	}
	return g
}

// release releases a slot, or withdraws the request for it.
func (s *slots) release(id engine.Slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.requests[id]; r != nil {
		r.withdrawn = true
		r.cancel()
	}
	if slot := s.held[id]; slot != nil {
		delete(s.held, id)
		slot.Release()
	}
}

// releaseAll releases all slots. No process of the run may be left.
func (s *slots) releaseAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, slot := range s.held {
		delete(s.held, id)
		slot.Release()
	}
}

func engineHolder(h groups.Holder) engine.Holder {
	return engine.Holder{Run: h.Run, Step: h.Step, Dead: h.Dead}
}
