package local

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"syscall"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// errGone is the cause with which attempts are stopped when another process drives the run.
var errGone = fmt.Errorf("the run was taken over: %w", step.ErrShutdown)

// attempts carries out the attempts of a run.
type attempts struct {
	*scene
	slots  *slots
	cached *cached
	forced atomic.Bool // the run was ended by force

	kills map[record.AttemptID]context.CancelCauseFunc // of running attempts; guarded by driver.mu
}

func newAttempts(s *scene, slots *slots, c *cached) *attempts {
	return &attempts{scene: s, slots: slots, cached: c, kills: map[record.AttemptID]context.CancelCauseFunc{}}
}

// start returns the task that carries out an attempt; it ends with AttemptEnded. After start has returned, the attempt can be
// stopped. The caller must hold driver.mu.
func (t *attempts) start(ctx context.Context, s engine.Spec) task {
	ctx, kill := context.WithCancelCause(ctx)
	t.kills[record.AttemptID{Step: s.Step, Attempt: s.Attempt}] = kill
	return func() (record.Event, func()) {
		spec := t.spec(&s)
		result := t.result(ctx, spec, s.Slots)
		e := record.Event{Type: record.AttemptEnded, Step: s.Step, Attempt: s.Attempt, Result: result}
		if small(spec, result) {
			t.chores.recycle(spec.Step)
			return e, nil
		}
		return e, func() { t.tidy(spec, result) }
	}
}

// result returns the result of an attempt: of an earlier driver, or of this one, which makes the attempt. A panic fails the
// attempt alone.
func (t *attempts) result(ctx context.Context, spec *step.Spec, held []engine.Slot) (result *record.Result) {
	defer func() {
		if v := recover(); v != nil {
			text := fmt.Sprintf("pipec: internal error in step %s: %v\n%s", spec.Step, v, debug.Stack())
			fmt.Fprint(os.Stderr, mask.New(t.machine.secrets.of(&spec.Program)).String(text))
			result = lost(spec, record.ReasonInternal, panics.Message(panics.At(), "it with the details that pipec printed"))
			result.Class = record.ClassUser
		}
	}()
	if result := t.before(ctx, spec); result != nil {
		return result
	}
	return t.attempt(ctx, spec, held)
}

// stop ends an attempt. The caller must hold driver.mu.
func (t *attempts) stop(id record.AttemptID) {
	if kill := t.kills[id]; kill != nil {
		kill(nil)
	}
}

// ended removes an attempt that has ended. The caller must hold driver.mu.
func (t *attempts) ended(e record.Event) {
	id := record.AttemptID{Step: e.Step, Attempt: e.Attempt}
	t.stop(id)
	delete(t.kills, id)
}

// abandon ends all attempts, because another process drives the run. No attempt may be started afterwards.
func (t *attempts) abandon() {
	for _, kill := range t.kills {
		kill(errGone)
	}
}

// before returns the result of an attempt that an earlier driver has made: the committed result, or one that reports the attempt
// as lost. It returns nil if the attempt was not made.
func (t *attempts) before(ctx context.Context, spec *step.Spec) *record.Result {
	if !t.resumed {
		return nil
	}
	result, err := history.Result(ctx, t.machine.store, t.record, record.AttemptID{Step: spec.Step, Attempt: spec.Attempt})
	if err != nil {
		return lost(spec, record.ReasonStore, fmt.Sprintf("the result can't be read: %s", err))
	}
	if result != nil {
		return result
	}
	if _, err := os.Lstat(spec.Root); err != nil {
		return nil
	}
	return lost(spec, record.ReasonLost, "pipec was killed while it ran")
}

// lost returns the result of an attempt that has committed none.
func lost(spec *step.Spec, reason, message string) *record.Result {
	at := drive.Now()
	return &record.Result{
		Version: record.Version, Run: spec.Run, Step: spec.Step, Attempt: spec.Attempt, Status: record.Failed,
		Class: record.ClassInfrastructure, Reason: reason, Message: message, StartedAt: at, EndedAt: at,
	}
}

// attempt carries out the attempt. The run must hold its slots in groups.
func (t *attempts) attempt(ctx context.Context, spec *step.Spec, held []engine.Slot) *record.Result {
	files, err := t.slots.files(ctx, held)
	if err != nil && ctx.Err() == nil {
		return lost(spec, record.ReasonGroup, fmt.Sprintf("its group can't be entered again: %s", err))
	}
	key := t.cached.key(ctx, spec)
	deps := t.deps(spec)
	deps.Started = func(pid int) { t.started(spec, pid) }
	deps.Keeps = files
	deps.Ready = spec.Attempt == 1 && t.claim.spares.Take(spec.Step)
	result, err := step.Run(ctx, spec, deps)
	if err == nil && result.Status == record.Succeeded {
		t.cached.keep(context.WithoutCancel(ctx), key, &result)
	}
	return &result
}

// started is called when the process of an attempt runs. It prepares for the result and does chores while the process runs. It
// kills a process that was started while the run was being ended by force, because that did not find the process.
func (t *attempts) started(spec *step.Spec, pid int) {
	if t.forced.Load() {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	if p, ok := store.As[store.Preparer](t.machine.store); ok {
		p.Prepare(spec.AttemptDir)
	}
	t.chores.catchUp()
}

// small reports whether an attempt has left so little that its directory may be used again.
func small(spec *step.Spec, result *record.Result) bool {
	return result.Status == record.Succeeded && spec.Attempt == 1 && len(spec.Inputs) == 0 && spec.Code == "" && spec.Program.Interpreter() != program.NeedsPython
}

// tidy removes directories that are no longer needed: the directory of an attempt that succeeded, or else those of earlier
// attempts.
func (t *attempts) tidy(spec *step.Spec, result *record.Result) {
	if result.Status == record.Succeeded {
		_ = work.Remove(spec.Root)
		return
	}
	for _, n := range t.claim.Attempts(spec.Step) {
		if n < spec.Attempt {
			_ = work.Remove(t.claim.Attempt(spec.Step, n))
		}
	}
}
