package groups

import (
	"context"
	"errors"
	"os"
	"slices"

	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/runtime/work/flock"
)

// scan is what one look at slots has found: a free slot or, if there is none, the reasons why each slot is not free.
type scan struct {
	free   *os.File       // the file of a free slot, locked by this process
	locked []string       // the files that other processes have locked
	dead   []Holder       // killed holders of slots whose files are not locked
	left   work.Processes // the processes of dead; the caller closes them
}

// markDead marks the holders that were killed.
func (s *scan) markDead(holders []Holder) []Holder {
	for i := range holders {
		h := &holders[i]
		h.Dead = slices.ContainsFunc(s.dead, func(d Holder) bool { return d.is(h) })
	}
	return holders
}

// scan looks at slots until one is free for the run.
func (g *Group) scan(names []string, run string) (*scan, error) {
	s := &scan{}
	for _, name := range names {
		f, free, err := flock.TryOpen(name)
		if err != nil {
			s.left.Close()
			return nil, err
		}
		if !free {
			s.locked = append(s.locked, name)
			continue
		}
		h, left := g.leftOf(f, run)
		exists := flock.AtPath(f)
		if exists && len(left) == 0 {
			s.left.Close()
			return &scan{free: f}, nil
		}
		_ = f.Close()
		if exists {
			s.dead, s.left = append(s.dead, h), append(s.left, left...)
		} else { // the directory was removed meanwhile
			left.Close()
			s.locked = append(s.locked, name)
		}
	}
	return s, nil
}

// leftOf returns the holder that the file of a slot names, and handles of its processes. The caller has locked the file, so
// a holder that is still named was killed. Its processes hold the slot even if they have closed the file that they inherited.
func (g *Group) leftOf(f *os.File, run string) (Holder, work.Processes) {
	h, known := readHolder(f)
	if !known || h.Run == run { // the driver that continues a run has killed the processes of the driver before it
		return h, nil
	}
	r, err := g.dir.Run(h.Run)
	if err != nil {
		return h, nil
	}
	return h, r.Processes()
}

// outlived reports whether processes of a killed holder hold the slot, see leftOf.
func (g *Group) outlived(f *os.File, run string) bool {
	_, left := g.leftOf(f, run)
	left.Close()
	return len(left) > 0
}

// errProcessEnded ends the wait for a lock because a process of a killed holder has ended.
var errProcessEnded = errors.New("a process has ended")

// await waits until a locked slot is free, and returns its file, locked. It returns nil if a process of a killed holder ends
// first: its slot may be free.
func (g *Group) await(ctx context.Context, s *scan, report func()) (*os.File, error) {
	if len(s.left) == 0 {
		return g.slots.wait(ctx, s.locked, report)
	}
	either, stop := context.WithCancelCause(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- s.left.AwaitEnd(either)
		stop(errProcessEnded)
	}()
	f, err := g.slots.wait(either, s.locked, report)
	stop(nil)
	end := <-ended
	if errors.Is(err, errProcessEnded) {
		return nil, end
	}
	return f, err
}
