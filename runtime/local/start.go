package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// journalDelay is how long an event may wait to be written to the log together with others.
const journalDelay = 100 * time.Millisecond

// Run starts a run and drives it to its end. The run is cancelled when ctx ends: processes are asked to end, and the steps
// of finally still run. The error is a *drive.Refusal if nothing was started; other errors are of the environment.
func Run(ctx context.Context, o Options) (Outcome, error) {
	return start(ctx, o, drive.Request{Params: o.Params, Only: o.Only})
}

func start(ctx context.Context, o Options, request drive.Request) (out Outcome, err error) {
	encoded := encode(&o)
	m, err := openMachine(&o)
	if err != nil {
		return out, err
	}
	defer m.close()
	run, err := newRecord(&o)
	if err != nil {
		return out, err
	}
	kept, err := m.prepare(ctx, request, run)
	if err != nil {
		return out, err
	}
	watch := newObserver(o.Observe)
	r, err := drive.Begin(m.config(o.Program, run, watch), kept)
	if err != nil {
		return out, err
	}
	defer r.Close()
	c, err := m.claim(run)
	if err != nil {
		return out, err
	}
	defer func() { c.release(out.End) }()
	requests, err := c.Requests()
	if err != nil {
		return out, err
	}
	defer requests.Close()
	if err := m.create(ctx, run, encoded); err != nil {
		return out, err
	}
	out.Run = run
	watch.start()
	s := &scene{machine: m, claim: c, record: run, run: r, watch: watch, chores: &chores{claim: c}}
	out.End, err = newDriver(s).drive(ctx, requests)
	return out, err
}

// config returns the configuration of the driven run.
func (m *machine) config(p *program.Program, run *record.Run, watch *observer) drive.Config {
	return drive.Config{Store: m.store, Program: p, Record: run, Observe: watch.event, LogDelay: journalDelay}
}

// newRecord returns the record of a new run with the fields that don't depend on the request.
func newRecord(o *Options) (*record.Run, error) {
	run := &record.Run{
		Version: record.Version, Name: o.Name, Project: o.Program.Project, Pipeline: o.Program.Pipeline,
		Namespace: runs.Namespace, Stack: o.Stack.Name, CreatedAt: now(), Parallel: o.parallel(), ScheduledAt: o.ScheduledAt, Schedule: o.Schedule,
	}
	var random [18]byte
	_, _ = rand.Read(random[:]) // never fails
	run.UID = hex.EncodeToString(random[2:])
	if run.Name == "" {
		run.Name = run.Pipeline + "-" + run.CreatedAt.Format("20060102-150405") + "-" + hex.EncodeToString(random[:2])
	}
	if err := work.CheckName(run.Name); err != nil {
		return nil, drive.Refuse(drive.RefusedName, "%s", err)
	}
	return run, nil
}

// prepare completes the record of a run, packs its code, and imports the artifacts with which it is started. It returns the
// events with which a rerun starts.
func (m *machine) prepare(ctx context.Context, request drive.Request, run *record.Run) ([]record.Event, error) {
	progress := &importProgress{observe: m.o.Observe, run: run}
	defer progress.end()
	s := drive.Start{Request: request, Imports: m.importOptions(progress), Equip: func(ctx context.Context) (err error) {
		if err := m.equip(run, m.o.Program); err != nil {
			return err
		}
		run.Codes, err = m.pack(ctx, m.o.Program, run)
		return err
	}}
	return s.Prepare(ctx, m.store, m.o.Program, run)
}

// encode encodes the program in another goroutine. The returned function waits for the encoding and returns it.
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

// create records the run: first its program, then the run, then its entry in the list of runs.
func (m *machine) create(ctx context.Context, run *record.Run, encode func() ([]byte, error)) error {
	encoded, err := encode()
	if err != nil {
		return err
	}
	run.Program = program.Digest(encoded)
	key := record.ProgramKey(run.Program)
	if there, err := m.store.Stat(ctx, key); err != nil || there.Size != int64(len(encoded)) {
		err := m.store.Put(ctx, key, bytes.NewReader(encoded), store.IfAbsent)
		if err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	err = store.WriteJSON(ctx, m.store, run.RunKey(), run, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return drive.Refuse(drive.RefusedName, "a run %s exists already", run.Name)
	}
	if err != nil {
		return err
	}
	at := record.Indexed{Version: record.Version}
	return store.WriteJSON(ctx, m.store, run.IndexKey(), &at, store.IfAbsent)
}
