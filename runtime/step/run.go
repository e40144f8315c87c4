package step

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Run makes one attempt and commits its result. If another process has committed this attempt already, Run returns that
// result, and in a pod it starts no process. An error means that the result could not be written: then the attempt is not
// recorded, and the returned result is only informational.
//
// When ctx ends, the process gets SIGTERM, and after the step's grace its group gets SIGKILL. The run is cancelled, or,
// if the cause is ErrShutdown, the failure belongs to the infrastructure. Run does not remove what it creates in
// Spec.Root.
func Run(ctx context.Context, spec *Spec, d Deps) (record.Result, error) {
	now := d.Now
	if now == nil {
		now = time.Now
	}
	a := attempt{spec: spec, d: &d, masks: mask.New(d.Secrets), result: record.Result{
		Version: record.Version, Run: spec.Run, Step: spec.Step, Attempt: spec.Attempt,
		Status: record.Succeeded, StartedAt: now().UTC(),
	}}
	if err := spec.check(); err != nil {
		a.fail(infrastructureFailure(record.ReasonStart, "%s", err))
		a.result.EndedAt = now().UTC()
		return a.result, err
	}
	if fail := a.guarded(ctx); fail != nil {
		a.fail(fail)
	}
	ctx, done := ending(ctx)
	defer done()
	a.closeLog(ctx)
	if a.found != nil {
		return *a.found, nil
	}
	a.result.EndedAt = now().UTC()
	return a.commit(ctx)
}

// attempt is the state of Run.
type attempt struct {
	spec   *Spec
	d      *Deps
	log    *logger
	masks  *mask.Set // nil: nothing is masked
	dir    string    // the working directory of the process
	result record.Result
	found  *record.Result // that another process has committed before the user's process was started; nil: none
}

func (a *attempt) fail(f *failure) {
	if a.result.Status == record.Succeeded {
		a.result.Status = record.Failed
	}
	a.result.Class, a.result.Reason, a.result.Outputs = f.class, f.reason, nil
	a.result.Message = clip(a.masks.String(f.message))
}

func (a *attempt) run(ctx context.Context) *failure {
	if f := a.spec.prepare(ctx, a.d); f != nil {
		return a.interrupted(ctx, f)
	}
	a.openLog(ctx)
	if f := a.spec.unpack(ctx, a.d.Store); f != nil {
		return a.interrupted(ctx, f)
	}
	p, py, f := a.process()
	if f != nil {
		return f
	}
	if f := a.find(ctx); f != nil || a.found != nil {
		return a.interrupted(ctx, f)
	}
	if ctx.Err() != nil {
		return a.interrupted(ctx, nil)
	}
	end, f := p.run(ctx)
	store.RenewGrace(a.d.Store) // an outage during the process costs nothing
	a.log.flush()
	if f != nil {
		return f
	}
	report := py.report()
	if f := a.judge(&end, report); f != nil {
		return f
	}
	outputs, f := a.outputs(ctx, report)
	if f != nil {
		return a.interrupted(ctx, report.explain(f))
	}
	a.result.Outputs = outputs
	return nil
}

// interrupted returns f, unless the failure was caused by the end of ctx. A shutdown is never a fault of the user.
func (a *attempt) interrupted(ctx context.Context, f *failure) *failure {
	cause := context.Cause(ctx)
	if cause == nil || f != nil && f.class == record.ClassUser && !errors.Is(cause, ErrShutdown) {
		return f
	}
	return a.stopped(cause)
}

// toTheEnd returns a context for work that is worth finishing during a shutdown: only a cancelled run ends it.
func toTheEnd(ctx context.Context) (context.Context, func()) {
	out, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, ErrShutdown) {
			cancel(cause)
		}
	})
	return out, func() {
		stop()
		cancel(nil)
	}
}

func (a *attempt) stopped(cause error) *failure {
	if errors.Is(cause, ErrShutdown) {
		return infrastructureFailure(record.ReasonShutdown, "it was interrupted from outside before it was done")
	}
	a.result.Status = record.Cancelled
	return &failure{reason: record.ReasonCancelled, message: "the run was cancelled"}
}

// judge decides whether the process succeeded.
func (a *attempt) judge(end *exit, report *report) *failure {
	if end.signal == 0 {
		code := end.code
		a.result.ExitCode = &code
	} else {
		a.result.Signal = unix.SignalName(end.signal)
	}
	succeeded := end.signal == 0 && end.code == 0
	switch {
	case end.timedOut:
		a.result.Status = record.TimedOut
		return userFailure(record.ReasonTimeout, "it exceeded its timeout of %s", a.spec.Program.Timeout.D())
	case end.stopped != nil && (!errors.Is(end.stopped, ErrShutdown) || !succeeded):
		return a.stopped(end.stopped)
	case report.Reason != "":
		a.result.ExitCode = nil // of the runner, not of the user's function
		return userFailure(report.Reason, "%s", report.Message)
	case succeeded:
		a.result.ToldToStop = end.stopped != nil
		return nil
	case end.oom:
		return userFailure(record.ReasonOOM, "the kernel killed it: it ran out of memory")
	case end.signal != 0:
		return userFailure(record.ReasonSignal, "it %s, a signal that pipec did not send", end)
	case report.Message != "":
		return userFailure(record.ReasonError, "%s", report.Message)
	}
	return userFailure(record.ReasonError, "it %s", end)
}

// process returns the process of the step, and the runner for a python step.
func (a *attempt) process() (*process, *runner, *failure) {
	s := a.spec
	dir := s.workDir()
	if dir == "" {
		wd, err := os.Getwd()
		if err != nil {
			return nil, nil, infrastructureFailure(record.ReasonStart, "the working directory: %s", plain(err))
		}
		dir = wd
	}
	a.dir = dir
	env, f := s.environment(a.d)
	if f != nil {
		return nil, nil, f
	}
	var argv []string
	var py *runner
	if s.Program.Python != "" {
		py, f = s.runner(dir)
		if f != nil {
			return nil, nil, f
		}
		argv, env = py.argv, py.environment(env)
	} else if argv, f = s.command(); f != nil {
		return nil, nil, f
	}
	if s.Program.Script != "" {
		env = withoutBytecode(env)
	}
	memory := a.d.Memory
	if memory == nil {
		memory = FindMemory()
	}
	input, err := a.d.inherited().input()
	if err != nil {
		return nil, nil, infrastructureFailure(record.ReasonStart, "can't open the step's input: %s", err)
	}
	return &process{
		argv: argv, env: setEnv(env, "PWD", dir), dir: dir, out: a.log, started: a.d.Started,
		timeout: s.Program.Timeout.D(), grace: s.Program.Grace.D(), memory: memory, input: input, keeps: a.d.Keeps, later: a.d.later,
		simulate: a.d.Simulate,
	}, py, nil
}

// find looks for a committed result of this attempt, so that its process is not started again: in a cluster, its pod may have
// vanished and been created again, or a coordinator has given it up. On this machine, the driver looks for it.
func (a *attempt) find(ctx context.Context) *failure {
	if !a.spec.Segments {
		return nil
	}
	r, err := a.written(ctx, a.spec.ResultKey())
	switch {
	case err == nil:
		a.found = &r
	case !errors.Is(err, store.ErrNotExist):
		return infrastructureFailure(record.ReasonStore, "can't read whether the attempt has already committed a result: %s", err)
	}
	return nil
}

func (a *attempt) openLog(ctx context.Context) {
	if a.spec.Segments {
		a.log = newLogger(newSegmentKeeper(ctx, a.d.Store, a.spec), a.spec, a.d, a.masks)
		return
	}
	a.log = newLogger(&fileKeeper{s: a.d.Store, spec: a.spec}, a.spec, a.d, a.masks)
}

// closeLog stores the log. An attempt whose log is lost does not succeed.
func (a *attempt) closeLog(ctx context.Context) {
	if a.log == nil {
		return
	}
	kept, err := a.log.close(ctx)
	a.result.Log = kept
	if err != nil && a.result.Status == record.Succeeded {
		a.fail(infrastructureFailure(record.ReasonStore, "the log could not be stored: %s", err))
	}
}

// commit writes the result, once.
func (a *attempt) commit(ctx context.Context) (record.Result, error) {
	key := a.spec.ResultKey()
	err := a.write(ctx, key)
	switch {
	case err == nil:
		return a.result, nil
	case errors.Is(err, store.ErrExists):
		committed, err := a.written(ctx, key)
		if err != nil {
			return a.result, fmt.Errorf("the result of step %s: %w", a.spec.Step, err)
		}
		return committed, nil
	}
	a.fail(infrastructureFailure(record.ReasonStore, "the result could not be stored: %s", err))
	return a.result, fmt.Errorf("the result of step %s: %w", a.spec.Step, err)
}

// outputs checks all outputs and then stores them: a step with one invalid output stores none.
func (a *attempt) outputs(ctx context.Context, report *report) ([]record.Datum, *failure) {
	if len(a.spec.Program.Outputs) == 0 {
		a.noteUndeclared()
		return nil, nil
	}
	ctx, done := toTheEnd(ctx)
	defer done()
	found := make([]*found, len(a.spec.Program.Outputs))
	for i := range a.spec.Program.Outputs {
		one, f := a.inspect(ctx, &a.spec.Program.Outputs[i])
		if f != nil {
			return nil, f
		}
		found[i] = one
	}
	a.noteUndeclared()
	data := make([]record.Datum, 0, len(found))
	for i, one := range found {
		out := &a.spec.Program.Outputs[i]
		if one == nil {
			continue // optional and missing
		}
		d, err := one.save(ctx, a.d.Store, report)
		if err != nil {
			return nil, storing(out.Name, err)
		}
		d.Name, d.Type = out.Name, out.Type
		data = append(data, d)
	}
	return data, nil
}

func (a *attempt) noteUndeclared() {
	dir := filepath.Join(a.spec.Root, outputsDir)
	if len(a.spec.Program.Outputs) == 0 && isEmpty(dir) {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	declared := make(map[string]*program.Output, len(a.spec.Program.Outputs))
	for i := range a.spec.Program.Outputs {
		declared[a.spec.Program.Outputs[i].Name] = &a.spec.Program.Outputs[i]
	}
	for _, e := range entries {
		switch out := declared[e.Name()]; {
		case out == nil:
			a.log.note("output %q is not declared and is ignored", e.Name())
		case out.Glob != "":
			a.log.note("output %q has a glob: the file at outputs/%s is ignored", out.Name, out.Name)
		case out.File != "":
			a.log.note("output %q is read from %s: the file at outputs/%s is ignored", out.Name, out.File, out.Name)
		}
	}
}

// isEmpty reports whether a directory is empty, with few system calls; false if that is unknown.
func isEmpty(dir string) bool {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var buf [256]byte // "." and ".." take 48 bytes
	n, err := unix.ReadDirent(fd, buf[:])
	if err != nil {
		return false
	}
	_, _, names := unix.ParseDirent(buf[:n], -1, nil)
	return len(names) == 0
}
