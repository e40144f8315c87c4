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

// groups are the concurrency groups of a run: the places in them that it holds, and those that it waits for.
type groups struct {
	d *driver

	mu     sync.Mutex
	named  map[string]*work.Group
	held   map[engine.Hold]*work.Place
	waits  map[engine.Hold]context.CancelFunc
	left   map[engine.Hold]bool // asked for by a task, and left since
	making sync.Mutex           // held while places are taken again that a driver before this one has had
}

func newGroups(d *driver) *groups {
	return &groups{
		d: d, named: map[string]*work.Group{}, held: map[engine.Hold]*work.Place{}, waits: map[engine.Hold]context.CancelFunc{}, left: map[engine.Hold]bool{},
	}
}

// enter is the task of a question for a place, which ends with GroupEntered or GroupBusy; or with nothing, where the
// place isn't wanted any more.
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

// take takes a place, or says who holds them where that is not waited for.
func (g *groups) take(ctx context.Context, a engine.EnterGroup) (*work.Place, []work.Holder, error) {
	h := work.Holder{Run: g.d.run.Name, Step: a.Step, Attempt: a.Attempt, Since: now()}
	if a.Skip {
		return g.group(a.Group).Try(a.Limit, h)
	}
	since, waited := now(), false
	p, err := g.group(a.Group).Wait(ctx, a.Limit, h, func(holders []work.Holder) {
		waited = true
		g.tell(record.Event{At: since, Step: a.Step, Attempt: a.Attempt, Text: fmt.Sprintf("a place in the group %s: %s", a.Group, describeHolders(holders))})
	})
	if waited {
		g.tell(record.Event{At: now(), Step: a.Step, Attempt: a.Attempt})
	}
	return p, nil, err
}

func (g *groups) tell(e record.Event) {
	e.Version, e.Type, e.Run = record.Version, record.StepWaiting, g.d.run.Name
	g.d.watch.event(e)
}

func (g *groups) group(name string) *work.Group {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.named[name]
	if out == nil {
		dir, err := work.In(g.d.project)
		if err != nil { // it was there when the run began, and every use of it tells
			dir = work.Dir{}
		}
		out = dir.Group(name)
		g.named[name] = out
	}
	return out
}

// leave gives a place back, or stops waiting for it.
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

// keeps are the files by which the processes of an attempt hold its places too. Where a driver before this one has had
// the places, they are taken again first: the kernel gave them back when it was killed.
func (g *groups) keeps(ctx context.Context, holds []engine.Hold) ([]*os.File, error) {
	if len(holds) == 0 {
		return nil, nil
	}
	out := make([]*os.File, 0, len(holds))
	if g.d.resumed {
		g.making.Lock()
		defer g.making.Unlock()
	}
	for _, h := range holds {
		g.mu.Lock()
		p := g.held[h]
		g.mu.Unlock()
		if p == nil {
			var err error
			if p, _, err = g.take(ctx, engine.EnterGroup{Hold: h}); err != nil {
				return nil, err
			}
			g.mu.Lock()
			g.held[h] = p
			g.mu.Unlock()
		}
		out = append(out, p.File())
	}
	return out, nil
}

// shut gives all back, when nothing of the run is left.
func (g *groups) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for h, p := range g.held {
		delete(g.held, h)
		p.Leave()
	}
}

// describeHolders says who holds the places of a group.
func describeHolders(holders []work.Holder) string {
	out := make([]engine.Holder, len(holders))
	for i, h := range holders {
		out[i] = engine.Holder{Run: h.Run, Step: h.Step, Dead: h.Dead}
	}
	return engine.Held(out)
}
