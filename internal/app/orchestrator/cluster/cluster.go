// Package cluster is the orchestrator of a Kubernetes cluster: a run is a Job there, and its coordinator drives it. This
// process starts runs, follows them and asks their coordinators to do things, with runtime/remote.
package cluster

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Cluster is a cluster as the orchestrator of a stack.
type Cluster struct {
	stack       *orchestrator.Stack
	definitions *definitions.Definitions
}

// Open returns the orchestrator of a stack. It connects to nothing yet.
func Open(s *orchestrator.Stack) orchestrator.Orchestrator {
	return &Cluster{s, definitions.New(s.Project, []string{s.Stack.Orchestrator.Kind})}
}

// Reader reads the records of all runs in the namespace. It connects to the cluster when it has to know whether a run without an end is
// still driven, and not before.
func (c *Cluster) Reader(ctx context.Context) (*runs.Reader, error) {
	reader, err := c.stack.OpenRecords(ctx, cmp.Or(c.stack.Stack.Orchestrator.Namespace, "default"))
	if err != nil {
		return nil, err
	}
	reader.Ask(c.live(func(ctx context.Context) (map[string]remote.Job, error) {
		s, err := c.dial(ctx)
		if err != nil {
			return nil, err
		}
		return s.jobs(ctx)
	}))
	return reader, nil
}

// liveTimeout bounds the query whether runs are driven.
const liveTimeout = 10 * time.Second

// live returns whether the Job of a run is live. The cluster is queried once, when that is first needed. If the query
// fails, the observer is notified, and runs without an end are taken to be running.
func (c *Cluster) live(query func(context.Context) (map[string]remote.Job, error)) func(*record.Run) bool {
	jobs := sync.OnceValue(func() map[string]remote.Job {
		ctx, stop := context.WithTimeout(context.Background(), liveTimeout)
		defer stop()
		jobs, err := query(ctx)
		if err != nil {
			c.stack.Notify(notice.Infof("Whether runs without an end are still running is not known: %v", err))
		}
		return jobs
	})
	return func(run *record.Run) bool {
		all := jobs()
		return all == nil || all[run.UID].Live
	}
}

// session is a connection to the cluster and the store of a stack.
type session struct {
	stack  *orchestrator.Stack
	conn   *connect.Connection
	runs   *remote.Client
	reader *runs.Reader // nil: it was not opened
}

// dial connects to the cluster.
func (c *Cluster) dial(ctx context.Context) (*session, error) {
	conn, err := connect.Open(ctx, c.stack.Stack.Orchestrator, c.stack.Env())
	if err != nil {
		return nil, fault.Env(err)
	}
	r, err := remote.New(conn.Config, conn.Namespace)
	if err != nil {
		return nil, fault.Env(conn.Explain(err))
	}
	return &session{stack: c.stack, conn: conn, runs: r}, nil
}

// open connects to the cluster and opens the store. Close the session after use.
func (c *Cluster) open(ctx context.Context) (*session, error) {
	s, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	if s.reader, err = c.stack.OpenRecords(ctx, s.conn.Namespace); err != nil {
		return nil, err
	}
	s.reader.Ask(c.live(s.jobs))
	return s, nil
}

func (s *session) Close() { _ = s.reader.Close() }

// jobs are the Jobs of runs in the namespace, by UID.
func (s *session) jobs(ctx context.Context) (map[string]remote.Job, error) {
	jobs, err := s.runs.Jobs(ctx)
	return jobs, s.conn.Explain(err)
}

// classify makes an error of the cluster, or of runtime/remote, a fault.
func (s *session) classify(ctx context.Context, err error) error {
	var (
		unknown *rerun.UnknownStepError
		noStep  *runs.NoStepError
		bad     *remote.BadNameError
		taken   *remote.NameTakenError
		none    *remote.NotAppliedError
		no      *rerun.RefusedError
		param   *params.Error
	)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Interruption(ctx, err)
	case errors.As(err, &unknown), errors.As(err, &bad), errors.As(err, &taken):
		return fault.As(fault.Usage, err)
	case errors.As(err, &noStep):
		return records.NoStep(err)
	case errors.As(err, &param):
		return &fault.Fault{Kind: fault.Usage, Message: param.Message, Hint: param.Hint, Err: err}
	case errors.As(err, &none):
		return fault.Userf("%w; `pipec apply %s` applies it", err, none.Pipeline)
	case errors.As(err, &no):
		return fault.As(fault.User, err)
	}
	return fault.Env(s.conn.Explain(err))
}

// Check tries the cluster, and the artifact store as this machine reaches it.
func Check(ctx context.Context, s *orchestrator.Stack) []store.Finding {
	var out []store.Finding
	conn, err := connect.Open(ctx, s.Stack.Orchestrator, s.Env())
	if err != nil {
		out = append(out, store.Finding{Part: "cluster", Text: err.Error()})
	} else {
		o := &s.Stack.Orchestrator
		for _, f := range cluster.Check(ctx, conn, o.CreateNamespace, o.Coordinator.Account()) {
			out = append(out, store.Finding(f))
		}
	}
	out = append(out, local.Check(ctx, local.Options{
		Project: s.Dir(), Stack: s.Stack, Stores: s.Tables().Stores, Environ: s.Env(),
	}, false)...)
	if err == nil {
		out = append(out, checkSteps(ctx, s, conn)...)
	}
	return out
}
