package local

import (
	"context"
	"os"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/work/groups"
)

// files returns the locked files of the slots. The processes of an attempt inherit them, and so hold the slots too. If an earlier
// driver held the slots, files first takes them again, because the kernel released them when that driver was killed.
func (s *slots) files(ctx context.Context, held []engine.Slot) ([]*os.File, error) {
	if len(held) == 0 {
		return nil, nil
	}
	out := make([]*os.File, 0, len(held))
	for _, id := range held {
		slot, err := s.get(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, slot.File())
	}
	return out, nil
}

// get returns a slot that the run holds. The attempts of a call share its slot: if it has to be taken again, one of them
// takes it and the others wait.
func (s *slots) get(ctx context.Context, id engine.Slot) (*groups.Slot, error) {
	for {
		slot, done, first := s.lookup(id)
		switch {
		case slot != nil:
			return slot, nil
		case first:
			return s.retake(ctx, id, done)
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
func (s *slots) lookup(id engine.Slot) (slot *groups.Slot, done chan struct{}, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slot = s.held[id]; slot != nil {
		return slot, nil, false
	}
	if done = s.retaking[id]; done == nil {
		done, first = make(chan struct{}), true
		s.retaking[id] = done
	}
	return nil, done, first
}

// retake takes a slot again that an earlier driver held.
func (s *slots) retake(ctx context.Context, id engine.Slot, done chan struct{}) (*groups.Slot, error) {
	slot, _, err := s.take(ctx, engine.RequestSlot{Slot: id})
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.retaking, id)
	close(done)
	if err != nil {
		return nil, err
	}
	s.held[id] = slot
	return slot, nil
}
