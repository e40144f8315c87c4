package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"

	"pipec.dev/pipec/runtime/earlier"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Coordinate drives the run of the Job to its end, from its beginning or from where another coordinator was. Errors: a
// *Refusal, where starting again is no use; ErrStopped, where ctx has ended; ErrTakenOver; else the world's.
func Coordinate(ctx context.Context, o Options) (*record.End, error) {
	p, err := program.Decode(o.Program)
	if err != nil {
		return nil, refuse("%s", err)
	}
	if p.Target == nil {
		return nil, refuse("the program is bound to no cluster")
	}
	d := newDriver(&o, p)
	end, err := d.coordinate(ctx)
	if ctx.Err() != nil && err != nil && !errors.Is(err, ErrTakenOver) {
		return nil, ErrStopped
	}
	return end, err
}

func (d *driver) coordinate(ctx context.Context) (*record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lease := newLease(d)
	g, gctx := errgroup.WithContext(ctx)
	var old *record.Run
	g.Go(func() error { return lease.acquire(gctx) })
	g.Go(func() (err error) { old, err = d.find(gctx); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	lease.keep(ctx)
	defer lease.release()
	job, err := d.job(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case old == nil:
		return d.begin(ctx, job, lease)
	case old.UID != d.o.JobUID:
		return d.foreign(ctx, old)
	}
	return d.goOn(ctx, job, old, lease)
}

// find reads the record of the run of this name; nil: there is none.
func (d *driver) find(ctx context.Context) (*record.Run, error) {
	key := (&record.Run{Namespace: d.o.Namespace, Pipeline: d.program.Pipeline, Name: d.o.Job}).RunKey()
	run, err := store.ReadJSON[record.Run](ctx, d.store, key)
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, storeFault(err)
	}
	return &run, nil
}

// storeFault makes a refusal of a fault of the store that waiting mends nothing about, before there is a run.
func storeFault(err error) error {
	if store.ClassOf(err) == store.Transient {
		return err
	}
	return refuse("the run can't be recorded in the artifact store: %s", err)
}

// job reads the Job that this coordinator belongs to.
func (d *driver) job(ctx context.Context) (*batchv1.Job, error) {
	var job *batchv1.Job
	err := d.requests.Retry(ctx, "read the Job "+d.o.Job, func(ctx context.Context) (err error) {
		job, err = d.client.GetJob(ctx, d.o.Job)
		return err
	})
	if err != nil {
		return nil, err
	}
	if string(job.UID) != d.o.JobUID {
		return nil, refuse("the Job %s is another one by now (UID %s, and this coordinator is of %s)", d.o.Job, job.UID, d.o.JobUID)
	}
	return job, nil
}

// foreign is for a run that another Job of this name has begun: what is done is not done again.
func (d *driver) foreign(ctx context.Context, old *record.Run) (*record.End, error) {
	end, err := d.readEnd(ctx, old)
	if err != nil {
		return nil, err
	}
	if end == nil {
		return nil, refuse("there is a run %s of another Job (UID %s) that has not ended: delete this Job, and start one with another name", old.Name, old.UID)
	}
	d.run = old
	d.tellEnd(end)
	return end, nil
}

func (d *driver) readEnd(ctx context.Context, run *record.Run) (*record.End, error) {
	end, err := store.ReadJSON[record.End](ctx, d.store, run.EndKey())
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &end, nil
}

// begin records a new run, and drives it.
func (d *driver) begin(ctx context.Context, job *batchv1.Job, lease *lease) (*record.End, error) {
	run := &record.Run{
		Version: record.Version, Name: d.o.Job, Project: d.program.Project, Pipeline: d.program.Pipeline, Namespace: d.o.Namespace,
		Stack: d.program.Target.Stack, UID: d.o.JobUID, Program: program.Digest(d.o.Program), CreatedAt: now(),
	}
	for i := range d.program.Codes {
		if run.Codes == nil {
			run.Codes = map[string]string{}
		}
		run.Codes[d.program.Codes[i].Name] = d.program.Codes[i].Digest
	}
	kept, wrong := d.ask(ctx, job, run)
	if wrong == nil {
		wrong = d.imports(ctx, run)
	}
	var r *Refusal
	if wrong != nil && !errors.As(wrong, &r) {
		return nil, wrong
	}
	if err := d.create(ctx, run); err != nil {
		return nil, err
	}
	d.run = run
	if wrong == nil {
		wrong = d.check(ctx)
	}
	if wrong == nil {
		d.state, wrong = engine.New(d.program, run, run.Parallel)
		if wrong != nil {
			wrong = refuse("the program can't be run: %s", wrong)
		}
	}
	if wrong != nil {
		if !errors.As(wrong, &r) {
			return nil, wrong
		}
		return d.refused(ctx, r)
	}
	d.open(0)
	return d.drive(ctx, lease, func() {
		for _, e := range kept {
			d.feed(e)
		}
		d.feed(record.Event{Type: record.RunStarted, At: run.CreatedAt})
	})
}

// ask fills in what the Job's annotations ask for, and gives the results that are kept.
func (d *driver) ask(ctx context.Context, job *batchv1.Job, run *record.Run) ([]record.Event, error) {
	if at, err := time.Parse(time.RFC3339, job.Annotations[batchv1.CronJobScheduledTimestampAnnotation]); err == nil {
		at = at.UTC()
		run.ScheduledAt = &at
	}
	given, err := d.given(ctx, job.Annotations)
	if err != nil {
		return nil, err
	}
	filled, err := params.Fill(d.program, given)
	if err != nil {
		return nil, refuse("%s", err)
	}
	run.Params, run.Imports = filled.Values, filled.Imports
	var only, keep []string
	for name, list := range map[string]*[]string{kube.AnnotationOnly: &only, kube.AnnotationKept: &keep} {
		if text := job.Annotations[name]; text != "" {
			if err := json.Unmarshal([]byte(text), list); err != nil {
				return nil, refuse("the Job's annotation %s is no JSON list of steps: %s", name, err)
			}
		}
	}
	if len(only) > 0 {
		if run.Only, err = rerun.Closure(d.program, only); err != nil {
			return nil, refuse("%s", err)
		}
	}
	var of *record.Run
	if run.RerunOf = job.Annotations[kube.AnnotationRerunOf]; run.RerunOf != "" {
		if of, err = d.rerunOf(ctx, run); err != nil {
			return nil, err
		}
	}
	var missing *earlier.Missing
	if run.Last, err = earlier.Find(ctx, d.store, d.program, run, of); errors.As(err, &missing) {
		return nil, refuse("%s", missing)
	} else if err != nil {
		return nil, err
	}
	if of == nil {
		return nil, nil
	}
	run.Kept = keep
	return d.kept(ctx, run, of)
}

// given are the params that the run was started with: those of its annotation, else those of the schedule.
func (d *driver) given(ctx context.Context, annotations map[string]string) (map[string]json.RawMessage, error) {
	text, said := annotations[kube.AnnotationParams]
	if !said {
		if d.program.Schedule != nil {
			return d.program.Schedule.Params, nil
		}
		return nil, nil
	}
	if digest, ok := strings.CutPrefix(text, "blob:"); ok {
		data, err := store.ReadAll(ctx, d.store, record.BlobKey(digest))
		if errors.Is(err, store.ErrNotExist) || err == nil && program.Digest(data) != digest {
			return nil, refuse("the run's params (%s) are not in the store", digest)
		}
		if err != nil {
			return nil, err
		}
		text = string(data)
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return nil, refuse("the Job's annotation %s is no JSON object: %s", kube.AnnotationParams, err)
	}
	return given, nil
}

// imports brings the artifacts that the run is started with into the store. It ends before the run is recorded: a coordinator
// that dies meanwhile is followed by one that imports them again.
func (d *driver) imports(ctx context.Context, run *record.Run) error {
	wait := func(text string) {
		d.tell(record.Event{Version: record.Version, Type: record.StepWaiting, At: now(), Run: run.Name, Text: text})
	}
	told := false
	o := imports.Options{
		Stack: d.program.Target.Store, Environ: d.o.Environ, Memory: d.o.Memory, Grace: d.program.Target.StoreGrace.D(),
		Waits: func(err error) { wait("S3, to import from: " + err.Error()) },
		Begin: func(i *record.Import) {
			told = true
			wait("the import of " + i.Name + " from " + i.Source)
		},
	}
	err := imports.Fetch(ctx, d.store, o, run.Imports)
	if told {
		wait("")
	}
	var fault *imports.Fault
	switch {
	case !errors.As(err, &fault) || fault.Again:
		return err
	case fault.World:
		return &Refusal{Message: fault.Message, Reason: record.ReasonImport}
	}
	return refuse("%s", fault)
}

// create records the run: the program, and then the run.
func (d *driver) create(ctx context.Context, run *record.Run) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return store.ProveOnce(gctx, d.store) })
	g.Go(func() error {
		err := d.store.Put(gctx, record.ProgramKey(run.Program), bytes.NewReader(d.o.Program), store.IfAbsent)
		if errors.Is(err, store.ErrExists) {
			return nil
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return storeFault(err)
	}
	err := store.WriteJSON(ctx, d.store, run.RunKey(), run, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return ErrTakenOver // a twin of this coordinator was first; the next start goes on with its run
	}
	return err
}

// index enters the run in the list of runs.
func (d *driver) index(ctx context.Context) error {
	at := record.Indexed{Version: record.Version, Namespace: d.run.Namespace}
	err := store.WriteJSON(ctx, d.store, d.run.IndexKey(), &at, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// check sees that the code which the steps are to unpack is there, before the first pod.
func (d *driver) check(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for i := range d.program.Codes {
		c := &d.program.Codes[i]
		if c.Digest == "" {
			return refuse("the code %q was not pushed when the definition was made: `pipec push`, and apply it again", c.Name)
		}
		g.Go(func() error {
			_, err := d.store.Stat(gctx, record.BlobKey(c.Digest))
			if errors.Is(err, store.ErrNotExist) {
				return refuse("the code %q (%s) is not in the store: `pipec push` uploads it", c.Name, c.Digest)
			}
			return err
		})
	}
	return g.Wait()
}

// refused records a run that can't be as one that has failed.
func (d *driver) refused(ctx context.Context, r *Refusal) (*record.End, error) {
	if err := d.index(ctx); err != nil {
		return nil, err
	}
	end := &record.End{Version: record.Version, At: now(), Status: record.Failed, Reason: cmp.Or(r.Reason, ReasonRefused), Message: r.Message, Steps: []record.StepEnd{}}
	err := store.WriteJSON(ctx, d.store, d.run.EndKey(), end, store.IfAbsent)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return nil, fmt.Errorf("%s (and that could not be recorded: %w)", r.Message, err)
	}
	d.tellEnd(end)
	return end, nil
}

// ReasonRefused is why a run has failed that could not be started.
const ReasonRefused = "Refused"
