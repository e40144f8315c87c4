package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// spec is what the wrapper is told of an attempt.
func (d *driver) spec(s *engine.Spec) *step.Spec {
	p := s.Def
	return &step.Spec{
		Version: step.SpecVersion, Run: d.run.Name, Pipeline: d.run.Pipeline, Step: s.Step, Key: s.Key,
		Attempt: s.Attempt, UserAttempt: s.UserAttempt,
		Program: *p, Inputs: s.Inputs, Refs: s.Refs, Code: d.run.Codes[p.Code],
		Root: d.work.Attempt(s.Step, s.Attempt), Dir: d.project, Python: d.python,
		AttemptDir: d.run.AttemptDir(s.Step, s.Attempt),
	}
}

func (d *driver) deps(s *step.Spec) step.Deps {
	deps := step.Deps{Store: d.store, Environ: d.o.Environ, Inherited: d.inherit, Secrets: d.secrets.of(&s.Program), Memory: d.memory}
	deps.Started = func(pid int) { d.started(s, pid) }
	deps.Later = d.putOff
	if d.watch != nil {
		deps.Line = func(line []byte) {
			d.watch.line(record.Event{
				Version: record.Version, Type: record.StepLog, At: now(), Run: s.Run, Step: s.Step, Attempt: s.Attempt, Text: string(line),
			})
		}
	}
	return deps
}

// started is called when the process of an attempt runs: now there is time for what was put off. A process that was
// started while the run was ended by force is killed: it came too late to be found.
func (d *driver) started(_ *step.Spec, pid int) {
	if d.forced.Load() {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	d.catchUp()
}

// putOff keeps what nobody waits for until there is time.
func (d *driver) putOff(do func()) {
	d.mu.Lock()
	d.later = append(d.later, do)
	d.mu.Unlock()
}

// catchUp does what was put off: while a process runs, or when there is nothing else to do.
func (d *driver) catchUp() {
	d.mu.Lock()
	later := d.later
	d.later = nil
	d.mu.Unlock()
	for _, do := range later {
		do()
	}
	d.recycle()
	d.journal.Settle()
}

// start is the task of an attempt, which ends with AttemptEnded. It can be stopped from now on.
func (d *driver) start(ctx context.Context, s engine.Spec) task {
	ctx, kill := context.WithCancelCause(ctx)
	d.kills[attemptID{s.Step, s.Attempt}] = kill
	return func() (record.Event, func()) {
		spec := d.spec(&s)
		result := d.before(ctx, spec)
		if result == nil {
			result = d.attempt(ctx, spec, s.Holds)
		}
		e := record.Event{Type: record.AttemptEnded, Step: s.Step, Attempt: s.Attempt, Result: result}
		if d.small(spec, result) {
			return e, nil
		}
		return e, func() { d.tidy(spec, result) }
	}
}

// before looks whether a driver before this one has made the attempt: what it committed counts, and what it left
// without a commit is lost. nil: it is still to be made.
func (d *driver) before(ctx context.Context, spec *step.Spec) *record.Result {
	if !d.resumed {
		return nil
	}
	result, err := store.ReadJSON[record.Result](ctx, d.store, spec.ResultKey())
	switch {
	case err == nil:
		return &result
	case !errors.Is(err, store.ErrNotExist):
		return lost(spec, record.ReasonStore, fmt.Sprintf("the result can't be read: %s", err))
	}
	if _, err := os.Lstat(spec.Root); err != nil {
		return nil
	}
	return lost(spec, record.ReasonLost, "pipec was killed while it ran")
}

func lost(spec *step.Spec, reason, message string) *record.Result {
	at := now()
	return &record.Result{
		Version: record.Version, Run: spec.Run, Step: spec.Step, Attempt: spec.Attempt, Status: record.Failed,
		Class: record.ClassInfrastructure, Reason: reason, Message: message, StartedAt: at, EndedAt: at,
	}
}

// attempt makes the attempt, in its places of groups.
func (d *driver) attempt(ctx context.Context, spec *step.Spec, holds []engine.Hold) *record.Result {
	keeps, err := d.groups.keeps(ctx, holds)
	if err != nil && ctx.Err() == nil {
		return lost(spec, record.ReasonGroup, fmt.Sprintf("its group can't be entered again: %s", err))
	}
	slot := d.slot(ctx, spec)
	deps := d.deps(spec)
	deps.Keeps = keeps
	deps.Ready = spec.Attempt == 1 && d.spares.Take(spec.Step)
	result, err := step.Run(ctx, spec, deps)
	if err == nil && result.Status == record.Succeeded {
		d.keep(context.WithoutCancel(ctx), slot, &result)
	}
	return &result
}

// slot is where the attempt's result is kept in the cache.
func (d *driver) slot(ctx context.Context, spec *step.Spec) cache.Slot {
	if spec.Program.Cache == nil {
		return cache.Slot{}
	}
	d.mu.Lock()
	slot, ok := d.slots[spec.Step]
	d.mu.Unlock()
	if !ok { // a driver before this one has asked
		_, slot = d.lookup(ctx, spec)
	}
	return slot
}

// checkCache is the task of a question to the cache, which ends with CacheChecked.
func (d *driver) checkCache(ctx context.Context, s engine.Spec) task {
	s.Attempt = 1
	return func() (record.Event, func()) {
		entry, slot := d.lookup(ctx, d.spec(&s))
		d.mu.Lock()
		d.slots[s.Step] = slot
		d.mu.Unlock()
		e := record.Event{Type: record.CacheChecked, Step: s.Step}
		if entry != nil {
			e.Result, e.From = &entry.Result, entry.Run
		}
		return e, nil
	}
}

// small says whether an attempt that succeeded has left so little that its place may be used again: that is looked at
// when there is time.
func (d *driver) small(spec *step.Spec, result *record.Result) bool {
	if result.Status != record.Succeeded || spec.Attempt > 1 || len(spec.Inputs) > 0 || spec.Code != "" || spec.Program.Python != "" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = append(d.left, spec.Step)
	return true
}

// tidy removes what nobody needs: all of an attempt that succeeded, and of others all but the last.
func (d *driver) tidy(spec *step.Spec, result *record.Result) {
	if result.Status == record.Succeeded {
		_ = work.Remove(spec.Root)
		return
	}
	for _, n := range d.work.Attempts(spec.Step) {
		if n < spec.Attempt {
			_ = work.Remove(d.work.Attempt(spec.Step, n))
		}
	}
}

// recycle looks at the places that small steps have left.
func (d *driver) recycle() {
	d.mu.Lock()
	left := d.left
	d.left = nil
	d.mu.Unlock()
	for _, name := range left {
		if !d.spares.Give(name) {
			d.running.Add(1)
			go func() {
				defer d.running.Done()
				_ = work.Remove(d.work.Attempt(name, 1))
			}()
		}
	}
}
