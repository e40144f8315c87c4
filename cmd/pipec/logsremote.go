package main

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// remoteLogs prints the logs of a run on a cluster. One that has ended is read from the store, and needs no cluster.
func (a *app) remoteLogs(ctx context.Context, r *compiler.Result, stack *program.Stack, name string, o logOptions) error {
	reader, err := a.reader(r)
	if err != nil {
		return err
	}
	defer reader.Close()
	run, err := reader.Resolve(ctx, o.pipeline, name)
	var none *runs.NotFoundError
	if err != nil && !errors.As(err, &none) {
		return world(err)
	}
	if run != nil && (name != "" && name != runs.Latest) {
		if done, err := a.storedLogs(ctx, reader, run, o); done {
			return err
		}
	}
	re, err := a.remotely(ctx, stack)
	if err != nil {
		if run == nil {
			return err
		}
		fmt.Fprintf(a.stderr, "Of what was not stored yet, nothing is shown: %v\n", err)
		return a.printStored(ctx, reader, run, o)
	}
	defer re.Close()
	if run, err = re.find(ctx, o.pipeline, name); err != nil {
		return err
	}
	if done, err := a.storedLogs(ctx, re.reader, run, o); done {
		return err
	}
	return a.liveLogs(ctx, re, run, o)
}

// storedLogs prints the logs of a run that goes on no more; done is false where it does.
func (a *app) storedLogs(ctx context.Context, reader *runs.Reader, run *record.Run, o logOptions) (done bool, err error) {
	end, err := reader.End(ctx, run)
	if err != nil {
		return true, world(err)
	}
	if end == nil {
		return false, nil
	}
	return true, a.printStored(ctx, reader, run, o)
}

func (a *app) printStored(ctx context.Context, reader *runs.Reader, run *record.Run, o logOptions) error {
	o.Follow = false
	return a.printLogs(ctx, o, func(ctx context.Context, print func(record.Event) error) error {
		return reader.Logs(ctx, run, o.LogOptions, print)
	})
}

// liveLogs prints the logs of a run that has no end.
func (a *app) liveLogs(ctx context.Context, re *remotely, run *record.Run, o logOptions) error {
	recorded, err := re.reader.Read(ctx, run.Namespace, run.Pipeline, run.Name)
	if err == nil && o.Step != "" {
		p, err := re.reader.Program(ctx, recorded)
		if err != nil {
			return world(err)
		}
		if !runs.HasStep(p, o.Step) {
			return usage("%v", &runs.NoStepError{Run: run.Name, Step: o.Step})
		}
	}
	if !o.Follow {
		if err != nil {
			fmt.Fprintf(a.stderr, "Run %s has not begun yet; --follow waits for it.\n", run.Name)
			return nil
		}
		err = a.printLogs(ctx, o, func(ctx context.Context, print func(record.Event) error) error {
			return re.runs.Logs(ctx, re.reader, recorded, o.LogOptions, print)
		})
		var behind *remote.BehindError
		if errors.As(err, &behind) {
			fmt.Fprintln(a.stderr, a.paint("33", "warning: ")+behind.Error())
			return nil
		}
		return err
	}
	return a.printLogs(ctx, o, func(ctx context.Context, print func(record.Event) error) error {
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		_, err := re.runs.Follow(ctx, remote.FollowOptions{
			Pipeline: run.Pipeline, Name: run.Name, UID: run.UID, Reader: re.reader, Lines: true, Late: true,
			Step: o.Step, Attempt: o.Attempt, Tell: func(e record.Event) {
				if e.Type != record.StepLog {
					a.sayWaits(e)
				} else if err := print(e); err != nil {
					stop(err)
				}
			},
		})
		return err
	})
}
