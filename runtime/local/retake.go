package local

import (
	"context"
	"os"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/work/groups"
)

// files returns the files by which the processes of an attempt hold its slots too. If the driver before this one held the
// slots, they are taken again first, because the kernel released them when that driver was killed.
func (s *slots) files(ctx context.Context, holds []engine.Hold) ([]*os.File, error) {
	if len(holds) == 0 {
		return nil, nil
	}
	out := make([]*os.File, 0, len(holds))
	for _, h := range holds {
		slot, err := s.get(ctx, h)
		if err != nil {
			return nil, err
		}
		out = append(out, slot.File())
	}
	return out, nil
}

// get returns a slot that the run holds. The attempts of a call share its slot: if it has to be taken again, one of them
// takes it and the others wait.
func (s *slots) get(ctx context.Context, h engine.Hold) (*groups.Slot, error) {
	for {
		slot, done, first := s.lookup(h)
		switch {
		case slot != nil:
			return slot, nil
		case first:
			return s.retake(ctx, h, done)
		}
		select {
		case <-done: // the attempt that was taking the slot has it, or was stopped
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// lookup returns a slot that the run holds. If the run does not hold it, lookup returns a channel that is closed when an attempt
// has tried to take it. first reports that the caller must do so, by retake.
func (s *slots) lookup(h engine.Hold) (slot *groups.Slot, done chan struct{}, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slot = s.held[h]; slot != nil {
		return slot, nil, false
	}
	if done = s.retaking[h]; done == nil {
		done, first = make(chan struct{}), true
		s.retaking[h] = done
	}
	return nil, done, first
}

// retake takes a slot again that the driver before this one held.
func (s *slots) retake(ctx context.Context, h engine.Hold, done chan struct{}) (*groups.Slot, error) {
	slot, _, err := s.take(ctx, engine.EnterGroup{Hold: h})
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.retaking, h)
	close(done)
	if err != nil {
		return nil, err
	}
	s.held[h] = slot
	return slot, nil
}
