package local

import (
	"context"
	"fmt"
	"os"
	"sync"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// groups are the concurrency groups that the run takes part in. It is safe for concurrent use.
type groups struct {
	*scene

	mu     sync.Mutex
	named  map[string]*work.Group
	held   map[engine.Hold]*work.Place
	waits  map[engine.Hold]context.CancelFunc
	left   map[engine.Hold]bool          // that a task waits for, although the run has left them since
	making map[engine.Hold]chan struct{} // that are taken again after a driver before this one was killed; closed after the attempt to
}

func newGroups(s *scene) *groups {
	return &groups{
		scene: s, named: map[string]*work.Group{}, held: map[engine.Hold]*work.Place{}, waits: map[engine.Hold]context.CancelFunc{},
		left: map[engine.Hold]bool{}, making: map[engine.Hold]chan struct{}{},
	}
}

// enter returns the task that waits for a place; it ends with GroupEntered or GroupBusy, or without an event if the run has
// left the group meanwhile.
func (g *groups) enter(ctx context.Context, a engine.EnterGroup) task {
	ctx, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	g.waits[a.Hold] = cancel
	g.mu.Unlock()
	return func() (record.Event, func()) {
		defer cancel()
		e := record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt}
		p, busy, err := g.take(ctx, a)
		g.mu.Lock()
		defer g.mu.Unlock()
		gone := g.left[a.Hold]
		delete(g.left, a.Hold)
		delete(g.waits, a.Hold)
		switch {
		case p != nil && gone:
			p.Leave()
			return record.Event{}, nil
		case p != nil:
			g.held[a.Hold] = p
			return e, nil
		case gone || ctx.Err() != nil:
			return record.Event{}, nil
		case err != nil:
			e.Type, e.Reason, e.Text = record.GroupBusy, record.ReasonGroup, fmt.Sprintf("the group %s can't be entered: %s", a.Group, err)
		default:
			e.Type, e.Text = record.GroupBusy, fmt.Sprintf("the group %s is busy: %s", a.Group, describeHolders(busy))
		}
		return e, nil
	}
}

// take waits for a place and takes it. If a.Skip is set it does not wait, and returns the holders if all places are held.
func (g *groups) take(ctx context.Context, a engine.EnterGroup) (*work.Place, []work.Holder, error) {
	h := work.Holder{Run: g.record.Name, Step: a.Step, Attempt: a.Attempt, Since: now()}
	if a.Skip {
		return g.group(a.Group).Try(a.Limit, h)
	}
	since, waited := now(), false
	p, err := g.group(a.Group).Wait(ctx, a.Limit, h, func(holders []work.Holder) {
		waited = true
		g.run.Report(record.Event{Type: record.StepWaiting, At: since, Step: a.Step, Attempt: a.Attempt, Text: fmt.Sprintf("a place in the group %s: %s", a.Group, describeHolders(holders))})
	})
	if waited {
		g.run.Report(record.Event{Type: record.StepWaiting, Step: a.Step, Attempt: a.Attempt})
	}
	return p, nil, err
}

func (g *groups) group(name string) *work.Group {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.named[name]
	if out == nil {
		out = g.machine.dir.Group(name)
		g.named[name] = out
	}
	return out
}

// leave gives a place back, or ends the wait for it.
func (g *groups) leave(h engine.Hold) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cancel := g.waits[h]; cancel != nil {
		g.left[h] = true
		cancel()
	}
	if p := g.held[h]; p != nil {
		delete(g.held, h)
		p.Leave()
	}
}

// keeps returns the files by which the processes of an attempt hold its places too. Places that a driver before this one
// held are taken again first: the kernel gave them back when that driver was killed.
func (g *groups) keeps(ctx context.Context, holds []engine.Hold) ([]*os.File, error) {
	if len(holds) == 0 {
		return nil, nil
	}
	out := make([]*os.File, 0, len(holds))
	for _, h := range holds {
		p, err := g.place(ctx, h)
		if err != nil {
			return nil, err
		}
		out = append(out, p.File())
	}
	return out, nil
}

// place returns a place that the run holds. If it has to be taken again, one of the attempts that share it (those of a call)
// takes it, and the others wait for this place, and for no other.
func (g *groups) place(ctx context.Context, h engine.Hold) (*work.Place, error) {
	for {
		p, made, mine := g.claimed(h)
		switch {
		case p != nil:
			return p, nil
		case mine:
			return g.retake(ctx, h, made)
		}
		select {
		case <-made: // or the attempt that waited for it was stopped
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// claimed returns a place that is held, or else a channel that is closed after the attempt to take it; mine reports whether
// the caller is the one to take it.
func (g *groups) claimed(h engine.Hold) (p *work.Place, made chan struct{}, mine bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p = g.held[h]; p != nil {
		return p, nil, false
	}
	if made = g.making[h]; made == nil {
		made, mine = make(chan struct{}), true
		g.making[h] = made
	}
	return nil, made, mine
}

func (g *groups) retake(ctx context.Context, h engine.Hold, made chan struct{}) (*work.Place, error) {
	p, _, err := g.take(ctx, engine.EnterGroup{Hold: h})
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.making, h)
	close(made)
	if err != nil {
		return nil, err
	}
	g.held[h] = p
	return p, nil
}

// shut gives all places back. No process of the run may be left.
func (g *groups) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for h, p := range g.held {
		delete(g.held, h)
		p.Leave()
	}
}

// describeHolders returns a description of who holds the places of a group.
func describeHolders(holders []work.Holder) string {
	out := make([]engine.Holder, len(holders))
	for i, h := range holders {
		out[i] = engine.Holder{Run: h.Run, Step: h.Step, Dead: h.Dead}
	}
	return engine.Held(out)
}
