package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/imports"
	runparams "pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// onCluster says whether a stack runs its steps on a cluster.
func onCluster(s *program.Stack) bool { return s.Orchestrator.Kind == "kubernetes" }

// remotely is what commands need whose runs are on a cluster.
type remotely struct {
	stack  *program.Stack
	conn   *connect.Cluster
	runs   *remote.Cluster
	reader *runs.Reader // asks the cluster whether runs are driven
}

// remotely opens the cluster and the store of a stack. Close it after use.
func (a *app) remotely(ctx context.Context, stack *program.Stack) (*remotely, error) {
	conn, err := connect.Open(ctx, stack.Orchestrator, a.env)
	if err != nil {
		return nil, world(err)
	}
	c, err := remote.New(conn.Config, conn.Namespace)
	if err != nil {
		return nil, world(conn.Explain(err))
	}
	reader, err := runs.Open(a.dir, stack)
	if err != nil {
		return nil, world(err)
	}
	r := &remotely{stack: stack, conn: conn, runs: c, reader: reader}
	reader.Ask(live(ctx, a.stderr, conn.Namespace, r.jobs))
	return r, nil
}

func (r *remotely) Close() { _ = r.reader.Close() }

// live says whether the Jobs of runs go on. The cluster is asked once, when it is first needed; where it doesn't answer,
// that is said, and runs without an end are taken to go on.
func live(ctx context.Context, talk io.Writer, namespace string, ask func(context.Context) (map[string]remote.Job, error)) func(*record.Run) bool {
	jobs := sync.OnceValue(func() map[string]remote.Job {
		ctx, stop := context.WithTimeout(ctx, 10*time.Second)
		defer stop()
		jobs, err := ask(ctx)
		if err != nil {
			fmt.Fprintf(talk, "Whether runs without an end go on is not known: %v\n", err)
		}
		return jobs
	})
	return func(run *record.Run) bool {
		if run.Namespace != namespace {
			return true // of another stack, which this one knows nothing of
		}
		all := jobs()
		return all == nil || all[run.UID].Live
	}
}

// jobs are those of the namespace, by UID.
func (r *remotely) jobs(ctx context.Context) (map[string]remote.Job, error) {
	jobs, err := r.runs.Jobs(ctx)
	return jobs, r.conn.Explain(err)
}

// liveJobs is jobs of a stack whose cluster isn't opened yet: what reads records alone needs none.
func (a *app) liveJobs(stack *program.Stack) func(context.Context) (map[string]remote.Job, error) {
	return func(ctx context.Context) (map[string]remote.Job, error) {
		conn, err := connect.Open(ctx, stack.Orchestrator, a.env)
		if err != nil {
			return nil, err
		}
		c, err := remote.New(conn.Config, conn.Namespace)
		if err != nil {
			return nil, conn.Explain(err)
		}
		return (&remotely{conn: conn, runs: c}).jobs(ctx)
	}
}

// namespaceOf is where a stack's runs are, as their records say it.
func namespaceOf(stack *program.Stack) string {
	switch {
	case !onCluster(stack):
		return runs.Namespace
	case stack.Orchestrator.Namespace == "":
		return "default"
	}
	return stack.Orchestrator.Namespace
}

// readable says whether the store can be read, before a run is started that could not be followed to its end.
func (r *remotely) readable(ctx context.Context, pipeline string) error {
	any := record.Run{Namespace: r.conn.Namespace, Pipeline: pipeline, Name: "any"}
	_, err := store.ReadAll(ctx, r.reader.Store(), any.RunKey()) // of a bucket that isn't there Stat says no more than of a key
	if err == nil || errors.Is(err, store.ErrNotExist) {
		return nil
	}
	return world(fmt.Errorf("the run could not be followed: %w", err))
}

// fault gives what the cluster or the library refuses its exit status.
func (r *remotely) fault(err error) error {
	var (
		unknown *rerun.UnknownStepError
		bad     *remote.BadNameError
		taken   *remote.NameTakenError
		none    *remote.NotAppliedError
		no      *remote.NoRerunError
		param   *runparams.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown), errors.As(err, &bad), errors.As(err, &taken):
		return usage("%v", err)
	case errors.As(err, &param):
		if param.Hint != "" {
			return usage("%v\n%s", param, param.Hint)
		}
		return usage("%v", param)
	case errors.As(err, &none):
		return user(fmt.Errorf("%w; `pipec apply %s` does it", err, none.Pipeline))
	case errors.As(err, &no):
		return user(err)
	}
	return world(r.conn.Explain(err))
}

// runRemote starts a run on a cluster, and follows it where the stack or the user says so.
func (a *app) runRemote(ctx context.Context, r *compiler.Result, p *program.Program, stack *program.Stack, o runOptions) error {
	if o.parallel > 0 {
		return usage("--parallel is for stacks that run steps on this machine; on a cluster the pipeline's max_parallel bounds them")
	}
	given, err := params(p, o.params, a.datumOfRun(ctx, r))
	if err != nil {
		return err
	}
	if p.Schedule != nil { // as a run by the clock, but for what is said otherwise
		given = merged(p.Schedule.Params, given)
	}
	re, err := a.remotely(ctx, stack)
	if err != nil {
		return err
	}
	defer re.Close()
	filled, err := runparams.Fill(p, given)
	if err != nil {
		return re.fault(err)
	}
	if given, err = a.upload(ctx, re, filled.Imports, given); err != nil {
		return err
	}
	start := remote.StartOptions{Pipeline: p.Pipeline, Name: o.name, Params: given}
	if len(o.only) > 0 {
		if start.Only, err = rerun.Closure(p, o.only); err != nil {
			return re.fault(err)
		}
	}
	if o.name != "" {
		if err := remote.CheckName(o.name); err != nil {
			return re.fault(err)
		}
	}
	return a.startRemote(ctx, r, p, re, start, o)
}

// upload brings what a run is to be started with, and only this machine has, into the store: the coordinator imports the
// rest.
func (a *app) upload(ctx context.Context, re *remotely, all []record.Import, given map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	var here []record.Import
	for i := range all {
		s, err := program.ParseSource(all[i].Source)
		if all[i].Empty() && (strings.HasPrefix(all[i].Source, record.FromFile) || err == nil && s.Path != "") {
			here = append(here, all[i])
		}
	}
	if len(here) == 0 {
		return given, nil
	}
	o := imports.Options{Project: a.dir, Stack: re.stack.ArtifactStore, Begin: func(i *record.Import) {
		fmt.Fprintf(a.stderr, "%s is uploaded from %s.\n", i.Name, strings.TrimPrefix(i.Source, record.FromFile))
	}}
	err := imports.Fetch(ctx, re.reader.Store(), o, here)
	var fault *imports.Fault
	switch {
	case errors.As(err, &fault) && !fault.World:
		return nil, user(fault)
	case err != nil:
		return nil, world(err)
	}
	out := merged(given)
	for i := range here {
		if out[here[i].Name], err = runparams.Give(&here[i]); err != nil {
			return nil, world(err)
		}
	}
	return out, nil
}

// merged are all params, the later ones before the earlier.
func merged(all ...map[string]json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// startRemote brings the definition up to date, starts the run, and follows it or says how to.
func (a *app) startRemote(ctx context.Context, r *compiler.Result, p *program.Program, re *remotely, start remote.StartOptions, o runOptions) error {
	if err := a.applyFirst(ctx, r, re.stack, p.Pipeline, re.conn); err != nil {
		return err
	}
	follow := !o.detach && (o.follow || re.stack.Orchestrator.Synchronous)
	if follow {
		if err := re.readable(ctx, p.Pipeline); err != nil {
			return err
		}
	}
	start.Store, start.Now = re.reader.Store(), time.Now()
	job, err := re.runs.Start(ctx, start)
	if err != nil {
		return re.fault(err)
	}
	if !follow {
		fmt.Fprintln(a.stdout, job.Name)
		fmt.Fprintf(a.stderr, "The run goes on; `pipec logs --follow %s%s` follows it.\n", job.Name, a.sharedFlags())
		return nil
	}
	return a.followRemote(ctx, p, re, remote.FollowOptions{Pipeline: p.Pipeline, Name: job.Name, UID: string(job.UID)}, o.show)
}

// followRemote shows a run to its end. The first Ctrl-C cancels it, the second one leaves it; a terminal that goes away
// leaves it too.
func (a *app) followRemote(ctx context.Context, p *program.Program, re *remotely, fo remote.FollowOptions, show showOptions) error {
	ctx, s := onSignals(ctx)
	defer s.stop()
	v := a.viewer(p, shown{project: a.dir, stack: re.stack, detached: true}, show)
	fo.Reader, fo.Tell, fo.Cancel, fo.Lines = re.reader, v.Event, s.cancel, show.order != "step"
	end, err := re.runs.Follow(ctx, fo)
	s.stop()
	if closeErr := v.Close(); err == nil && !errors.Is(closeErr, syscall.EPIPE) {
		err = closeErr
	}
	switch {
	case s.gone && end == nil:
		what := "goes on"
		if s.asked {
			what = "is asked to end"
		}
		fmt.Fprintf(a.stderr, "Run %s %s; `pipec logs --follow %s%s` follows it.\n", fo.Name, what, fo.Name, a.sharedFlags())
		return said(exitInterrupted)
	case err != nil:
		return re.fault(err)
	case end.Status == record.Succeeded:
		return nil
	case s.asked:
		return said(exitInterrupted)
	case end.Reason == record.ReasonImport:
		return said(exitWorld)
	}
	return said(exitUser)
}

// signals are those that reach who follows a run that goes on without them.
type signals struct {
	cancel chan struct{} // Ctrl-C, the first time
	stop   func()
	asked  bool // Ctrl-C was pressed; read after stop
	gone   bool // a signal ended the following; read after stop
}

// onSignals watches for signals until stop is called. The context ends with the second Ctrl-C, and at once with what
// ends this process alone: a job of a CI that is stopped, a terminal that is closed.
func onSignals(parent context.Context) (context.Context, *signals) {
	ctx, leave := context.WithCancel(parent)
	got := make(chan os.Signal, 2)
	signal.Notify(got, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE) // a reader that goes away ends what it reads, and not this process
	s := &signals{cancel: make(chan struct{}, 1)}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case sig := <-got:
				if sig != os.Interrupt || s.asked {
					s.gone = true
					leave()
					return
				}
				s.asked = true
				s.cancel <- struct{}{}
			case <-quit:
				return
			}
		}
	}()
	s.stop = sync.OnceFunc(func() {
		signal.Stop(got)
		signal.Stop(pipes)
		close(quit)
		<-done
		leave()
	})
	return ctx, s
}

// sayWaits says what a run, or a step of it, waits for, and what it warns of.
func (a *app) sayWaits(e record.Event) {
	switch {
	case e.Type == record.StepWaiting && e.Text != "" && e.Step != "":
		fmt.Fprintf(a.stderr, "%s: waiting for %s\n", e.Step, e.Text)
	case e.Type == record.StepWaiting && e.Text != "":
		fmt.Fprintf(a.stderr, "waiting for %s\n", e.Text)
	case e.Type == record.Warned:
		fmt.Fprintln(a.stderr, a.paint("33", "warning:"), e.Text)
	}
}
