package remote

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// FollowOptions say which run is followed, and who is told.
type FollowOptions struct {
	Pipeline, Name string
	UID            string             // of the run's Job
	Reader         *runs.Reader       // of the run's records
	Tell           func(record.Event) // is told of all that happens, in order, by one goroutine
	// Lines says that the lines of the steps are told too.
	Lines bool
	// Late says that the run may have been going on before: what has happened so far is told from its records.
	Late bool
	// Cancel asks for the run to be cancelled, each time that something comes. May be nil.
	Cancel <-chan struct{}
	// Step and Attempt say whose lines are told; "" and 0: those of all.
	Step    string
	Attempt int
}

// LostError says that a run has no end and that nothing drives it any more.
type LostError struct {
	Name string
	Why  string // what the Job says, or that it is gone; with the coordinator's last words where there are any
}

func (e *LostError) Error() string {
	return fmt.Sprintf("run %s is lost: it has no end, and %s", e.Name, e.Why)
}

// Follow tells of a run until it ends, and gives its end. It is a *LostError where the run comes to none; other errors
// are about ctx. Faults of the cluster are waited out and told of.
func (c *Client) Follow(ctx context.Context, o FollowOptions) (*record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	f := newFollower(ctx, c, o)
	defer func() {
		stop()
		f.wait()
	}()
	f.start()
	err := f.loop()
	if err != nil {
		return nil, err
	}
	return f.end.RunEnd, nil
}

// line is a line of a step's log.
type line struct {
	id   record.AttemptID
	text string
}

// follower follows one run. What it knows belongs to its loop; everyone else gives it functions to call.
type follower struct {
	ctx   context.Context
	c     *Client
	o     FollowOptions
	store store.Store
	run   record.Run // its names and nothing else
	group group

	calls chan func()
	lines chan line

	told  map[string]bool
	steps map[string]*stepFlow
	busy  int           // steps whose events wait for their lines
	end   *record.Event // the run's, told when the rest is
	ended bool          // all is told
	lost  error

	coordinators map[types.UID]*coordinator
	words        []string // the last lines of a coordinator that are no events
	job          *batchv1.Job
	concluding   bool
	blind        map[string]error // what can't be seen of the cluster, by the resource
	syncing      bool
	syncedAt     time.Time
	asked        int // cancellations that were told here, and that the coordinator will tell of

	waits map[string]*waiting
	tick  *time.Ticker
	now   func() time.Time
}

func newFollower(ctx context.Context, c *Client, o FollowOptions) *follower {
	f := &follower{
		ctx: ctx, c: c, o: o,
		run:   record.Run{Namespace: c.namespace, Pipeline: o.Pipeline, Name: o.Name},
		calls: make(chan func(), 64), lines: make(chan line, 64),
		told: map[string]bool{}, steps: map[string]*stepFlow{}, coordinators: map[types.UID]*coordinator{},
		blind: map[string]error{}, waits: map[string]*waiting{}, tick: time.NewTicker(time.Second), now: time.Now,
	}
	if o.Reader != nil {
		f.store = o.Reader.Store()
	}
	return f
}

// call has the loop call fn; false: it has ended.
func (f *follower) call(fn func()) bool {
	select {
	case f.calls <- fn:
		return true
	case <-f.ctx.Done():
		return false
	}
}

// start begins to watch.
func (f *follower) start() {
	exists := false // the Job was there at the beginning
	job := kubeclient.Watcher[*batchv1.Job]{
		Changed: func(j *batchv1.Job) {
			exists = exists || string(j.UID) == f.o.UID
			f.call(func() { f.jobChanged(j) })
		},
		Gone: func(j *batchv1.Job) { f.call(func() { f.jobGone(string(j.UID)) }) },
		Synced: func() {
			if !exists {
				f.call(func() { f.jobGone(f.o.UID) })
			}
		},
		Fault: f.faultOf("jobs"),
	}
	f.group.Go(func() { f.c.client.WatchJob(f.ctx, f.o.Name, job) })
	f.watchPods(batchv1.ControllerUidLabel, f.coordinatorChanged, f.coordinatorGone)
	f.watchPods(kube.LabelRunUID, f.podChanged, f.podGone)
	if f.o.Late {
		f.sync()
	}
}

// watchPods watches the pods whose label is the UID of the run's Job.
func (f *follower) watchPods(label string, changed, gone func(*pod)) {
	f.group.Go(func() {
		f.c.client.WatchPods(f.ctx, label+"="+f.o.UID, kubeclient.Watcher[*pod]{
			Changed: func(p *pod) { f.call(func() { changed(p) }) },
			Gone:    func(p *pod) { f.call(func() { gone(p) }) },
			Fault:   f.faultOf("pods"),
		})
	})
}

func (f *follower) wait() {
	f.tick.Stop()
	f.group.Wait()
}

// loop takes in what happens until all is told.
func (f *follower) loop() error {
	for !f.ended {
		select {
		case fn := <-f.calls:
			fn()
		case l := <-f.lines:
			f.line(l)
		case <-f.tick.C:
			f.ticked()
		case <-f.o.Cancel:
			f.cancel()
		case <-f.ctx.Done():
			return context.Cause(f.ctx)
		}
	}
	return f.lost
}

func (f *follower) line(l line) {
	f.o.Tell(record.Event{Version: record.Version, Type: record.StepLog, Run: f.o.Name, Step: l.id.Step, Attempt: l.id.Attempt, Text: l.text, At: f.now().UTC()})
}

// cancel asks the coordinator to cancel the run. That is told at once: it may take a second to arrive.
func (f *follower) cancel() {
	job := Job{Name: f.o.Name, UID: f.o.UID}
	f.o.Tell(record.Event{Version: record.Version, Type: record.CancelRequested, At: f.now().UTC(), Run: f.o.Name})
	f.asked++
	f.group.Go(func() {
		if err := f.c.Cancel(f.ctx, &job); err != nil {
			f.call(func() { f.warn("the run could not be cancelled: " + why(err)) })
		}
	})
}

// warn tells of what went wrong, once.
func (f *follower) warn(text string) {
	f.take(record.Event{Version: record.Version, Type: record.Warned, At: f.now().UTC(), Run: f.o.Name, Text: text})
}
