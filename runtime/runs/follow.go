package runs

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/schema/record"
)

// follow returns log lines while they are written, until no process drives the run. The kernel reports writes, and the
// end of the driver.
func (t *tail) follow(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(t.work.Path()); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	released := make(chan error, 1)
	go func() { released <- t.work.Released(ctx) }()
	f := follower{tail: t, watch: w}
	defer f.stop()
	for _, name := range t.work.Steps() {
		if err := f.step(ctx, name); err != nil {
			return err
		}
	}
	f.live = true
	for {
		select {
		case e := <-w.Events:
			if err := f.event(ctx, e); err != nil {
				return err
			}
		case <-f.due():
			if err := f.states(); err != nil {
				return err
			}
		case err := <-w.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return err
			}
			for _, name := range t.work.Steps() { // read all: an event was lost
				if err := f.step(ctx, name); err != nil {
					return err
				}
			}
		case err := <-released:
			return err
		}
	}
}

// follower watches the directories of steps and attempts.
type follower struct {
	*tail
	watch     *fsnotify.Watcher
	addresses map[string]string // addresses by directory, if they differ
	timer     *time.Timer       // nil: no open line has a new state
}

// due returns a channel that is readable when states of lines are to be returned.
func (f *follower) due() <-chan time.Time {
	if f.timer == nil {
		return nil
	}
	return f.timer.C
}

// states returns the states of the open lines that are overwritten, as progress bars do.
func (f *follower) states() error {
	f.timer = nil
	for _, c := range f.at {
		if err := c.split.State(); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) stop() {
	if f.timer != nil {
		f.timer.Stop()
	}
}

// address returns the address of the step in a directory. If the directory's name doesn't contain it, it is in the
// run's records.
func (f *follower) address(ctx context.Context, dir string) string {
	if !record.Digested(dir) {
		return dir
	}
	if found := f.addresses[dir]; found != "" {
		return found
	}
	f.addresses = map[string]string{}
	if detail, err := f.r.Show(ctx, f.run); err == nil {
		for i := range detail.Steps {
			f.addresses[record.Address(detail.Steps[i].Name).SafeName()] = detail.Steps[i].Name
		}
	}
	if found := f.addresses[dir]; found != "" {
		return found
	}
	return dir
}

func (f *follower) event(ctx context.Context, e fsnotify.Event) error {
	rest, err := filepath.Rel(f.work.Path(), e.Name)
	if err != nil {
		return nil
	}
	parts := strings.Split(rest, string(filepath.Separator))
	if parts[0] == "." || parts[0] == "" || parts[0][0] == '.' {
		return nil
	}
	if !e.Has(fsnotify.Create) && !e.Has(fsnotify.Write) && !e.Has(fsnotify.Remove) && !e.Has(fsnotify.Rename) {
		return nil
	}
	switch len(parts) {
	case 1: // a step's directory was created, renamed or removed
		if e.Has(fsnotify.Create) {
			return f.step(ctx, parts[0])
		}
		_ = f.watch.Remove(e.Name)
		_ = f.watch.Remove(filepath.Join(e.Name, "1")) // renamed together with it
	case 2: // an attempt's directory
		if n, err := strconv.Atoi(parts[1]); err == nil && e.Has(fsnotify.Create) {
			return f.attempt(ctx, record.AttemptID{Step: f.address(ctx, parts[0]), Attempt: n})
		}
	case 3:
		if n, err := strconv.Atoi(parts[1]); err == nil && parts[2] == "log" {
			return f.pullSelected(ctx, record.AttemptID{Step: f.address(ctx, parts[0]), Attempt: n})
		}
	}
	return nil
}

// step watches the directory of a step. A directory may be reused under another name: then the old watch is dropped.
func (f *follower) step(ctx context.Context, dir string) error {
	name := f.address(ctx, dir)
	if !f.o.Wants(name) {
		return nil
	}
	if err := f.add(f.work.Step(name)); err != nil {
		return err
	}
	for _, n := range f.work.Attempts(name) {
		if err := f.attempt(ctx, record.AttemptID{Step: name, Attempt: n}); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) attempt(ctx context.Context, id record.AttemptID) error {
	if err := f.add(f.work.Attempt(id.Step, id.Attempt)); err != nil {
		return err
	}
	return f.pullSelected(ctx, id)
}

func (f *follower) pullSelected(ctx context.Context, id record.AttemptID) error {
	if !f.selected(id) {
		return nil
	}
	if err := f.pull(ctx, id); err != nil {
		return err
	}
	if f.timer == nil && f.cursor(id).split.Pending() {
		f.timer = time.NewTimer(lines.Every)
	}
	return nil
}

// add watches a directory again. A directory that no longer exists is ignored.
func (f *follower) add(path string) error {
	_ = f.watch.Remove(path)
	err := f.watch.Add(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
