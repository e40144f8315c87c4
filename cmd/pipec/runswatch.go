package main

import (
	"context"
	"slices"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// watchEvery is how often the list of runs is read again.
const watchEvery = 2 * time.Second

// watchList lists runs, and then prints each run that is new or whose status has changed, as kubectl does, until it is
// interrupted.
func (l *runLister) watchList(ctx context.Context, r *records.Records, s *records.Selection, columns []runColumn) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	known := map[string]record.Status{}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		var changed []runs.Summary
		_, err := r.Select(ctx, s, func(one runs.Summary) error {
			id := one.Run.Pipeline + "/" + one.Run.Name
			if was, ok := known[id]; !ok || was != one.Status {
				known[id] = one.Status
				changed = append(changed, one)
			}
			return nil
		})
		if ctx.Err() != nil {
			return fault.Interruption(ctx, context.Cause(ctx))
		}
		if err != nil {
			return err
		}
		if !first {
			slices.Reverse(changed) // the newest last
		}
		if first || len(changed) > 0 {
			if err := l.print(changed, columns, first); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fault.Interruption(ctx, context.Cause(ctx))
		}
	}
}
