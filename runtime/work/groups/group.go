package groups

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/runtime/work/flock"
)

// Group is a concurrency group, as one run uses it. It is safe for concurrent use.
//
// The kernel releases a slot when its holder ends, for any reason. The processes of a step inherit the lock: those that
// outlive a killed pipec hold the slot until they end. A waiter first waits for the lock of the file "turn" and then for any
// of the slots, so that runs take turns. The kernel wakes waiters: nothing polls.
type Group struct {
	dir  work.Dir
	path string

	turn   locks
	slots  locks
	waiter chan struct{} // has an element while the run waits: it waits for one slot at a time
}

// turnName is the name of the file whose lock the first waiter has. The other files are the slots; their names are numbers.
const turnName = "turn"

// A process locks the file of a slot for a moment even if it doesn't take the slot. Try looks again in that case.
const (
	tries    = 100
	tryPause = 5 * time.Millisecond
)

func (g *Group) file(name string) string { return filepath.Join(g.path, name) }

// slotFiles returns the files of the slots that a group with this limit has. They may not exist yet.
func (g *Group) slotFiles(limit int) []string {
	out := make([]string, limit)
	for i := range out {
		out[i] = g.file(strconv.Itoa(i))
	}
	return out
}

// filesAbove returns the existing files of slots above the limit. Runs whose program has a larger limit may hold these slots.
func (g *Group) filesAbove(limit int) ([]string, error) {
	entries, err := os.ReadDir(g.path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n >= limit {
			out = append(out, g.file(e.Name()))
		}
	}
	return out, nil
}

// Holders returns the holders of the group's slots that have stored their names, the oldest first.
func (g *Group) Holders() []Holder {
	names, err := g.filesAbove(0)
	if err != nil {
		return nil
	}
	var out []Holder
	for _, name := range names {
		if h, known := holderOf(name); known {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Holder) int { return a.Since.Compare(b.Since) })
	return out
}

// Try takes a free slot. If there is none, it returns nil and the holders.
func (g *Group) Try(limit int, h Holder) (*Slot, []Holder, error) {
	if err := os.MkdirAll(g.path, 0o777); err != nil {
		return nil, nil, err
	}
	for try := 0; ; try++ {
		s, passing, err := g.try(limit, h)
		if s != nil || err != nil {
			return s, nil, err
		}
		if !passing || try == tries {
			return nil, g.Holders(), nil
		}
		time.Sleep(tryPause)
	}
}

// try looks at each slot once. passing reports that a file is locked that names no holder: the process that has locked it
// either has just taken the slot or releases it immediately.
func (g *Group) try(limit int, h Holder) (slot *Slot, passing bool, err error) {
	above, err := g.filesAbove(limit)
	if err != nil {
		return nil, false, err
	}
	unnamed := func(name string) bool {
		_, known := holderOf(name)
		return !known
	}
	for _, name := range above {
		f, free, err := flock.TryOpen(name)
		if err != nil {
			return nil, false, err
		}
		if !free {
			return nil, unnamed(name), nil
		}
		_ = f.Close()
	}
	found, err := g.scan(g.slotFiles(limit), h.Run)
	if err != nil {
		return nil, false, err
	}
	if found.free != nil {
		slot, err := occupy(found.free, h)
		return slot, false, err
	}
	found.left.Close()
	return nil, slices.ContainsFunc(found.locked, unnamed), nil
}

// Wait waits until a slot is free, and takes it. If it has to wait, it calls notify with the holders.
func (g *Group) Wait(ctx context.Context, limit int, h Holder, notify func([]Holder)) (*Slot, error) {
	select {
	case g.waiter <- struct{}{}:
		defer func() { <-g.waiter }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := os.MkdirAll(g.path, 0o777); err != nil {
		return nil, err
	}
	report := func() { notify(g.Holders()) }
	turn, err := g.turn.wait(ctx, []string{g.file(turnName)}, report)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	if err := g.waitAbove(ctx, limit, report); err != nil {
		return nil, err
	}
	for {
		f, err := g.next(ctx, limit, h.Run, notify)
		if err != nil {
			return nil, err
		}
		if f != nil {
			return occupy(f, h)
		}
	}
}

// waitAbove waits until all slots above the limit are free.
func (g *Group) waitAbove(ctx context.Context, limit int, report func()) error {
	above, err := g.filesAbove(limit)
	if err != nil {
		return err
	}
	for _, name := range above {
		f, err := g.slots.wait(ctx, []string{name}, report)
		if err != nil {
			return err
		}
		_ = f.Close()
	}
	return nil
}

// next waits for a slot and returns its file, locked. It returns nil if the slots have changed and the caller must try again.
func (g *Group) next(ctx context.Context, limit int, run string, notify func([]Holder)) (*os.File, error) {
	found, err := g.scan(g.slotFiles(limit), run)
	if err != nil || found.free != nil {
		return found.free, err
	}
	defer found.left.Close()
	f, err := g.await(ctx, found, func() { notify(found.markDead(g.Holders())) })
	if f != nil && (!flock.AtPath(f) || g.outlived(f, run)) {
		_ = f.Close()
		f = nil
	}
	return f, err
}
