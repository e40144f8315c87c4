package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/earlier"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Run starts a run and drives it to its end. The run is cancelled when ctx ends: what runs is asked to end, finally's
// steps still run. A *Refusal says that nothing was started; other errors are about the world.
func Run(ctx context.Context, o Options) (Outcome, error) {
	return start(ctx, o, nil)
}

// again is what a rerun adds to a start.
type again struct {
	of   *record.Run
	kept []record.Event // StepKept
	// names are the steps of the program that the events are of, or of what is beneath them.
	names []string
}

func start(ctx context.Context, o Options, re *again) (out Outcome, err error) {
	encoded := encode(&o)
	d, err := open(&o)
	if err != nil {
		return out, err
	}
	defer d.close()
	run := &record.Run{
		Version: record.Version, Name: o.Name, Project: o.Program.Project, Pipeline: o.Program.Pipeline,
		Namespace: runs.Namespace, Stack: o.Stack.Name, CreatedAt: now(), Parallel: o.parallel(),
	}
	if err := d.describe(run, re); err != nil {
		return out, err
	}
	if err := d.findLast(ctx, run, re); err != nil {
		return out, err
	}
	if err := d.equip(run, o.Program); err != nil {
		return out, err
	}
	if run.Codes, err = d.pack(ctx); err != nil {
		return out, err
	}
	if err := d.imports(ctx, run); err != nil {
		return out, err
	}
	if d.state, err = engine.New(o.Program, run, run.Parallel); err != nil {
		return out, refuse(RefusedProgram, "%s", err)
	}
	lock, err := d.lock(run)
	if err != nil {
		return out, err
	}
	defer func() { d.leave(lock, out.End) }()
	requests, err := d.work.Requests()
	if err != nil {
		return out, err
	}
	defer requests.Close()
	if err := d.create(ctx, encoded); err != nil {
		return out, err
	}
	out.Run = run
	d.begin(0)
	out.End, err = d.drive(ctx, requests, func(inner context.Context) {
		if re != nil {
			for _, e := range re.kept {
				d.feed(inner, e)
			}
		}
		d.feed(inner, record.Event{Type: record.RunStarted, At: run.CreatedAt})
	})
	return out, err
}

// open opens what every way of driving a run needs.
func open(o *Options) (*driver, error) {
	if o.Stack == nil || kinds.Builtin().Pods(o.Stack) {
		return nil, refuse(RefusedStack, "the stack doesn't run steps on this machine")
	}
	w, err := work.In(o.Project)
	if err != nil {
		return nil, err
	}
	s, err := o.openStore()
	if err != nil {
		return nil, err
	}
	d := &driver{
		o: o, store: s, project: w.Project(), keyer: &step.Keyer{Dir: filepath.Join(w.Project(), ".pipec", "interpreters")},
		memory: step.FindMemory(), inherit: step.Inherit(o.Environ),
		over: make(chan struct{}), asked: make(chan struct{}, 1), asks: map[string]string{}, kills: map[attemptID]context.CancelCauseFunc{}, slots: map[string]cache.Slot{},
	}
	d.groups = newGroups(d, w)
	return d, nil
}

// close ends the use of the store.
func (d *driver) close() {
	if d.journal != nil {
		d.journal.Close()
	}
	if c, ok := d.store.(runs.Store); ok {
		_ = c.Close()
	}
}

// describe fills in what the run is asked for.
func (d *driver) describe(run *record.Run, re *again) (err error) {
	var bad *params.Error
	filled, err := params.Fill(d.o.Program, d.o.Params)
	if errors.As(err, &bad) {
		return &Refusal{Code: RefusedParam, Message: bad.Message, Hint: bad.Hint}
	} else if err != nil {
		return err
	}
	run.Params, run.Imports = filled.Values, filled.Imports
	if len(d.o.Only) > 0 {
		if run.Only, err = rerun.Closure(d.o.Program, d.o.Only); err != nil {
			return refuse(RefusedStep, "%s", err)
		}
	}
	if re != nil {
		run.RerunOf, run.Kept = re.of.Name, re.names
	}
	var random [18]byte
	_, _ = rand.Read(random[:]) // never fails
	run.UID = hex.EncodeToString(random[2:])
	if run.Name == "" {
		run.Name = run.Pipeline + "-" + run.CreatedAt.Format("20060102-150405") + "-" + hex.EncodeToString(random[:2])
	}
	if err := work.CheckName(run.Name); err != nil {
		return refuse(RefusedName, "%s", err)
	}
	return nil
}

// findLast finds what the run is given of earlier ones.
func (d *driver) findLast(ctx context.Context, run *record.Run, re *again) (err error) {
	var of *record.Run
	if re != nil {
		of = re.of
	}
	var missing *earlier.Missing
	if run.Last, err = earlier.Find(ctx, d.store, d.o.Program, run, of); errors.As(err, &missing) {
		return &Refusal{Code: RefusedLast, Message: missing.Message, Hint: missing.Hint}
	}
	return err
}

func (d *driver) setProgram(run *record.Run, p *program.Program) {
	d.run, d.program = run, p
}

// equip takes the program of the run, and finds what its steps need of this machine: secrets and an interpreter.
func (d *driver) equip(run *record.Run, p *program.Program) (err error) {
	d.setProgram(run, p)
	var taking []*program.Step
	python := false
	for _, s := range p.All() {
		if len(run.Only) > 0 && !slices.Contains(run.Only, s.Name) || !s.Composite() && slices.Contains(run.Kept, s.Name) {
			continue
		}
		taking = append(taking, s)
	}
	taking = p.Reach(taking)
	for _, s := range taking {
		python = python || s.Python != ""
	}
	if d.secrets, err = d.o.findSecrets(taking); err != nil {
		return err
	}
	if python {
		if d.python, err = step.FindPython(d.o.getenv, d.o.Stack.Orchestrator.Python, d.project); err != nil {
			return refuse(RefusedPython, "%s", err)
		}
	}
	return nil
}

// pack keeps the code that the steps use, and gives the digest of each.
func (d *driver) pack(ctx context.Context) (map[string]string, error) {
	if len(d.program.Codes) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for i := range d.program.Codes {
		c := &d.program.Codes[i]
		a, err := store.Pack(ctx, d.store, filepath.Join(d.project, filepath.FromSlash(c.Root), filepath.FromSlash(c.Dir)), c.Exclude)
		var content *store.ContentError
		if errors.As(err, &content) {
			return nil, refuse(RefusedCode, "code %q: %s", c.Name, content)
		}
		if err != nil {
			return nil, err
		}
		out[c.Name] = a.Digest
	}
	return out, nil
}

// lock takes the run's place on this machine.
func (d *driver) lock(run *record.Run) (*work.Lock, error) {
	w, err := work.In(d.project)
	if err != nil {
		return nil, err
	}
	if d.work, err = w.Run(run.Name); err != nil {
		return nil, refuse(RefusedName, "%s", err)
	}
	lock, err := d.work.Lock()
	switch {
	case errors.Is(err, work.ErrHeld):
		return nil, refuse(RefusedDriven, "run %s is driven by another process", run.Name)
	case err != nil:
		return nil, err
	}
	if err := lock.Note(run.EndKey()); err != nil {
		lock.Release()
		return nil, err
	}
	return lock, nil
}

// encode gives the program's encoding when it is done; other things are done meanwhile.
func encode(o *Options) func() ([]byte, error) {
	if o.Encoded != nil {
		return func() ([]byte, error) { return o.Encoded, nil }
	}
	var encoded []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		encoded, err = o.Program.Encode()
	}()
	return func() ([]byte, error) {
		<-done
		return encoded, err
	}
}

// create records the run: program, run, and index, in this order.
func (d *driver) create(ctx context.Context, encode func() ([]byte, error)) error {
	encoded, err := encode()
	if err != nil {
		return err
	}
	d.run.Program = program.Digest(encoded)
	key := record.ProgramKey(d.run.Program)
	if there, err := d.store.Stat(ctx, key); err != nil || there.Size != int64(len(encoded)) {
		err := d.store.Put(ctx, key, bytes.NewReader(encoded), store.IfAbsent)
		if err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	err = store.WriteJSON(ctx, d.store, d.run.RunKey(), d.run, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return refuse(RefusedName, "there is a run %s already", d.run.Name)
	}
	if err != nil {
		return err
	}
	at := record.Indexed{Version: record.Version, Namespace: d.run.Namespace}
	return store.WriteJSON(ctx, d.store, d.run.IndexKey(), &at, store.IfAbsent)
}

// journalDelay is how long events wait for others to be written with them.
const journalDelay = 100 * time.Millisecond

// begin starts what writes and tells.
func (d *driver) begin(segment int64) {
	d.journal = journal.New(d.store, d.run, segment, journalDelay)
	d.watch = newObserver(d.o.Observe)
	d.spares = work.NewSpares(d.work)
}

// leave gives the run's place back. That of a success is removed; else the last attempt of each step that didn't
// succeed stays to be looked at, until another run of the project has ended.
func (d *driver) leave(lock *work.Lock, end *record.End) {
	if end != nil {
		d.sweep()
	}
	if d.spares != nil {
		d.spares.Keep()
	}
	if end != nil && end.Status == record.Succeeded {
		_ = lock.Remove()
		return
	}
	lock.Release()
}

// sweep removes the places of other runs that have ended. Those of runs that may yet be gone on with stay.
func (d *driver) sweep() {
	dir, err := work.In(d.project)
	if err != nil {
		return
	}
	names, err := dir.Runs()
	if err != nil {
		return
	}
	for _, name := range names {
		other, err := dir.Run(name)
		if err != nil || name == d.run.Name {
			continue
		}
		if _, err := d.store.Stat(context.Background(), other.Noted()); err != nil {
			continue
		}
		if lock, err := other.Lock(); err == nil {
			_ = lock.Remove()
		}
	}
}
