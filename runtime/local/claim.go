package local

import (
	"context"
	"errors"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// claim is the directory of a run on this machine, with the lock that makes this process its only driver.
type claim struct {
	work.Run
	m      *machine
	lock   *work.Lock
	spares *work.Spares // attempt directories that can be used again
	name   string       // of the run
}

// claim locks the directory of a run. The caller releases it.
func (m *machine) claim(run *record.Run) (*claim, error) {
	w, err := m.dir.Run(run.Name)
	if err != nil {
		return nil, drive.Refuse(drive.RefusedName, "%s", err)
	}
	lock, err := w.Lock()
	switch {
	case errors.Is(err, work.ErrHeld):
		return nil, drive.Refuse(drive.RefusedDriven, "run %s is driven by another process", run.Name)
	case err != nil:
		return nil, err
	}
	if err := lock.Note(run.EndKey()); err != nil {
		lock.Release()
		return nil, err
	}
	return &claim{Run: w, m: m, lock: lock, spares: work.NewSpares(w), name: run.Name}, nil
}

// release unlocks the directory. The directory of a run that succeeded is removed. Otherwise the last attempt of each step
// that didn't succeed can be inspected, until another run of the project has ended. end is nil if the run has no end.
func (c *claim) release(end *record.End) {
	if end != nil {
		c.sweep()
	}
	c.spares.Keep()
	if end != nil && end.Status == record.Succeeded {
		_ = c.lock.Remove()
		return
	}
	c.lock.Release()
}

// sweep removes the directories of other runs that have ended. It keeps those of runs that can be resumed.
func (c *claim) sweep() {
	names, err := c.m.dir.Runs()
	if err != nil {
		return
	}
	for _, name := range names {
		other, err := c.m.dir.Run(name)
		if err != nil || name == c.name {
			continue
		}
		if _, err := c.m.store.Stat(context.Background(), other.Noted()); err != nil {
			continue
		}
		if lock, err := other.Lock(); err == nil {
			_ = lock.Remove()
		}
	}
}
