package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/record"
)

// Coordinate drives the run of the Job to its end. It begins a new run, or resumes the run of an earlier coordinator from the
// end of its log. The error is a *drive.Refusal if another start of the coordinator would fail as well, ErrStopped if ctx has
// ended, ErrTakenOver, or an error of the environment.
func Coordinate(ctx context.Context, o Options) (*record.End, error) {
	p, err := o.loaded()
	if err != nil {
		return nil, err
	}
	if p.Target() == nil {
		return nil, drive.Refuse(drive.RefusedProgram, "the program is bound to no cluster")
	}
	c := coordinator{d: newDriver(&o, p)}
	c.lease = newLease(c.d)
	end, err := c.safely(ctx)
	if ctx.Err() != nil && err != nil && !errors.Is(err, ErrTakenOver) {
		return nil, ErrStopped
	}
	return end, err
}

// coordinator finds the run of its Job, and begins or resumes it.
type coordinator struct {
	d     *driver
	lease *lease
}

// safely is coordinate. A panic ends the run as failed: the next coordinator, which would read the same records, would panic
// too.
func (c *coordinator) safely(ctx context.Context) (end *record.End, err error) {
	defer func() {
		if v := recover(); v != nil {
			r := internal(v)
			if end, err = nil, error(r); c.d.record != nil {
				end, err = c.refuse(context.WithoutCancel(ctx), r)
			}
		}
	}()
	return c.coordinate(ctx)
}

// internal prints a panic, and returns how the run ends. It must be called by a deferred function, after recover.
func internal(v any) *drive.Refusal {
	at, details := panics.At(), ""
	if p, ok := v.(*panicked); ok {
		at, details, v = p.at, "\n"+string(p.stack), p.value
	}
	fmt.Fprintf(os.Stderr, "pipec: %s%s", panics.Details(v), details)
	return &drive.Refusal{Reason: record.ReasonInternal, Message: panics.Message(at, "it with the coordinator's log")}
}

func (c *coordinator) coordinate(ctx context.Context) (*record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, gctx := errgroup.WithContext(ctx)
	var old *record.Run
	g.Go(func() error { return c.lease.acquire(gctx) })
	g.Go(func() (err error) { old, err = c.find(gctx); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	c.lease.keep(ctx)
	defer c.lease.release()
	job, err := c.job(ctx)
	if err != nil {
		return nil, err
	}
	c.d.rename(job)
	switch {
	case old == nil:
		return c.begin(ctx, job)
	case old.UID != c.d.o.JobUID:
		return c.foreign(ctx, old)
	}
	return c.resume(ctx, old)
}

// find returns the record of the run with this name, or nil.
func (c *coordinator) find(ctx context.Context) (*record.Run, error) {
	run, err := history.Run(ctx, c.d.store, c.d.o.Namespace, c.d.program.Pipeline, c.d.o.Job)
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, storeFault(err)
	}
	return run, nil
}

// job reads the Job that this coordinator belongs to.
func (c *coordinator) job(ctx context.Context) (*batchv1.Job, error) {
	o := c.d.o
	var job *batchv1.Job
	err := c.d.requests.Retry(ctx, "read the Job "+o.Job, func(ctx context.Context) (err error) {
		job, err = o.Client.GetJob(ctx, o.Job)
		return err
	})
	if err != nil {
		return nil, err
	}
	if string(job.UID) != o.JobUID {
		return nil, drive.Refuse(drive.RefusedJob, "the Job %s is another one by now (UID %s, and this coordinator is of %s)", o.Job, job.UID, o.JobUID)
	}
	return job, nil
}

// foreign handles a run that another Job with this name has begun: its work is not done again.
func (c *coordinator) foreign(ctx context.Context, old *record.Run) (*record.End, error) {
	end, err := history.End(ctx, c.d.store, old)
	if err != nil {
		return nil, err
	}
	if end == nil {
		return nil, drive.Refuse(drive.RefusedJob, "there is a run %s of another Job (UID %s) that has not ended: delete this Job, and start one with another name", old.Name, old.UID)
	}
	c.d.tell(drive.Ended(old, end))
	return end, nil
}

// resume drives a run that another coordinator of its Job has begun.
func (c *coordinator) resume(ctx context.Context, run *record.Run) (*record.End, error) {
	d := c.d
	if err := c.lease.outlast(ctx); err != nil {
		return nil, err
	}
	end, err := history.End(ctx, d.store, run)
	if err != nil {
		return nil, err
	}
	if end != nil {
		d.tell(drive.Ended(run, end))
		return end, nil
	}
	if d.loaded.digest != run.Program {
		return nil, drive.Refuse(drive.RefusedProgram, "the run %s is of the program %s, and the Job has %s", run.Name, run.Program, d.loaded.digest)
	}
	d.record, d.resumed, d.catchUp.over = run, true, false
	if no := run.Refused; no != nil {
		return c.refuse(ctx, &drive.Refusal{Reason: no.Reason, Message: no.Message})
	}
	d.run, err = drive.Resume(ctx, d.config(), func(e *record.Event) {
		switch e.Type {
		case record.CancelRequested:
			d.commands.cancels[e.Text] = true
		case record.AttemptStopping:
			d.attempts.givenUp[record.AttemptID{Step: e.Step, Attempt: e.Attempt}] = e.Result
		}
	})
	if err != nil {
		return nil, err
	}
	// An earlier coordinator that still runs notices the takeover by this segment of the log.
	d.run.Log(record.Event{Type: record.CoordinatorStarted, Text: d.o.Pod})
	if err := d.run.FlushContext(ctx); err != nil {
		d.run.Close()
		return nil, err
	}
	return d.drive(ctx, c.lease.lost)
}

// refuse records a run that can't be started as a run that has failed.
func (c *coordinator) refuse(ctx context.Context, r *drive.Refusal) (*record.End, error) {
	d := c.d
	if err := index(ctx, d.store, d.record); err != nil {
		return nil, err
	}
	end := &record.End{
		Version: record.Version, At: now(), Status: record.Failed, Reason: cmp.Or(r.Reason, drive.ReasonRefused), Message: r.Message,
		Steps: []record.StepEnd{},
	}
	err := store.WriteJSON(ctx, d.store, d.record.EndKey(), end, store.IfAbsent)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return nil, fmt.Errorf("%s (and that could not be recorded: %w)", r.Message, err)
	}
	d.tell(drive.Ended(d.record, end))
	return end, nil
}
