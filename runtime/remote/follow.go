package remote

import (
	"context"
	"fmt"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// FollowOptions select the run that is followed, and the events that the observer receives.
type FollowOptions struct {
	Pipeline, Name string
	UID            string             // of the run's Job
	Reader         *runs.Reader       // reads the run's records
	Observe        func(record.Event) // receives the events in order, from one goroutine
	// Lines is set if the observer receives the lines of the steps too.
	Lines bool
	// Late is set if the run may have started before: the events so far are then read from its records.
	Late bool
	// Cancel requests the cancellation of the run with each of its values. May be nil.
	Cancel <-chan struct{}
	// Select selects the lines. Its zero value selects all.
	Select runs.LogOptions
}

// LostError reports that a run has no end and that nothing drives it any more.
type LostError struct {
	Name string
	Why  string // how the Job ended, or that it is gone, with the last lines of the coordinator's log if there are any
}

func (e *LostError) Error() string {
	return fmt.Sprintf("run %s is lost: it has no end, and %s", e.Name, e.Why)
}

// Follow reports the events of a run until it ends, and returns its end. The error is a *LostError if the run is lost. It
// waits until a fault of the cluster has passed, and reports the fault as an event.
func (c *Client) Follow(ctx context.Context, o FollowOptions) (*record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	f := newFollower(ctx, c, o)
	defer func() {
		stop()
		f.background.Wait()
	}()
	f.watch()
	return f.run()
}

// follower follows one run. It connects the watches of the cluster to the types that own the state of the run. All state
// is owned by the goroutine of run; others pass functions to it with call.
type follower struct {
	*loop
	cluster *Client
	options *FollowOptions

	missing      missingRights
	waits        *waits
	logs         *logs
	timeline     *timeline
	records      *records
	coordinators *coordinators
	conclusion   *conclusion
}

func newFollower(ctx context.Context, c *Client, o FollowOptions) *follower {
	f := &follower{loop: newLoop(ctx), cluster: c, options: &o, missing: missingRights{}}
	run := &record.Run{Namespace: c.namespace, Pipeline: o.Pipeline, Name: o.Name}
	f.waits = newWaits(f.loop, c, o.Name, o.Observe)
	f.logs = newLogs(f.loop, c, run, f.options)
	f.timeline = newTimeline(o.Name, o.Observe, f.logs, f.waits)
	f.logs.shown, f.logs.failed = f.timeline.resume, f.logFailed
	f.records = &records{loop: f.loop, reader: o.Reader, run: run, timeline: f.timeline, logs: f.logs, missing: f.missing}
	f.coordinators = newCoordinators(f.loop, c, f.timeline, f.waits)
	f.coordinators.sync, f.coordinators.forbidden = f.records.sync, f.forbidden
	f.conclusion = &conclusion{loop: f.loop, reader: o.Reader, run: run, uid: o.UID, timeline: f.timeline, logs: f.logs, lastLines: f.coordinators.lastLines}
	return f
}

// run handles what happens until the observer has received everything.
func (f *follower) run() (*record.End, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for !f.timeline.done {
		if f.conclusion.lost != nil && f.timeline.end == nil && f.logs.open == 0 {
			return nil, f.conclusion.lost
		}
		select {
		case fn := <-f.calls:
			fn()
		case l := <-f.logs.lines:
			f.logs.emit(l)
		case <-tick.C:
			f.reviewJob()
			f.waits.tick()
			f.records.tick()
		case <-f.options.Cancel:
			f.cancel()
		case <-f.ctx.Done():
			return nil, context.Cause(f.ctx)
		}
	}
	return f.timeline.end.RunEnd, nil
}

// cancel requests the cancellation of the run. The observer is notified at once, since the request may take a second to
// reach the coordinator.
func (f *follower) cancel() {
	f.timeline.cancelRequested()
	job := Job{Name: f.options.Name, UID: f.options.UID}
	f.spawn(func() {
		if err := f.cluster.Cancel(f.ctx, &job); err != nil {
			f.call(func() { f.timeline.warn("the run could not be cancelled: " + explain(err)) })
		}
	})
}
