package definitions

import (
	"context"
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// PrepareDestroy returns the change that removes what Apply has made: for the project, or for the pipelines named, which
// the sources need not declare any more. Pending.Apply makes it.
func (d *Definitions) PrepareDestroy(ctx context.Context, pipelines []string) (*Pending, error) {
	c, err := d.ForStack()
	if err != nil {
		return nil, err
	}
	stack, err := d.stack(c, "destroy")
	if err != nil {
		return nil, err
	}
	conn, err := connect.Open(ctx, stack.Orchestrator, d.Env())
	if err != nil {
		return nil, fault.Env(err)
	}
	options := cluster.Options{Cluster: conn, Project: c.Result.Project}
	if c.Result.Project == "" {
		if options, err = d.unnamed(ctx, c, stack, pipelines, conn); err != nil {
			return nil, err
		}
	}
	changes, live, err := d.removal(ctx, stack, options, pipelines)
	if err != nil {
		return nil, err
	}
	p := &Pending{Stack: stack, project: d.Project, options: options, Report: report.Report{
		Stack: stack.Name, Context: conn.Context, Host: conn.Host, Namespace: conn.Namespace, Project: c.Result.Project, Destroy: true, Changes: *changes,
		Notes: []string{
			"artifacts and records stay in " + stack.ArtifactStore.Path,
			"the Jobs of runs that have ended, and their pods, stay until their time to live has passed",
		},
	}}
	p.Report.Count()
	for _, run := range live {
		p.Report.Runs = append(p.Report.Runs, run.Name)
	}
	return p, nil
}

// removal returns the changes that remove the definitions, and the runs that continue. If runs have ended whose Jobs have
// not, it waits for the Jobs, so that everything can be removed.
func (d *Definitions) removal(ctx context.Context, stack *program.Stack, o cluster.Options, pipelines []string) (*cluster.Changes, []cluster.LiveRun, error) {
	for waited := false; ; waited = true {
		changes, err := cluster.Destroy(ctx, o, pipelines)
		if err != nil || len(changes.List) == 0 {
			return changes, nil, fault.Env(err)
		}
		live, err := cluster.LiveRuns(ctx, o.Cluster, pipelinesOf(changes))
		if err != nil {
			return nil, nil, fault.Env(err)
		}
		ended := d.ended(ctx, stack, o.Cluster.Namespace, live)
		if waited || len(ended) == 0 {
			return changes, live, nil
		}
		d.Notify(notice.Infof("Waiting for the Jobs of runs that have ended: %s.", strings.Join(ended, ", ")))
		within, cancel := context.WithTimeout(ctx, jobTimeout)
		err = cluster.AwaitRuns(within, o.Cluster, ended)
		timedOut := within.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil, nil, fault.Interruption(ctx, err)
		case err != nil && !timedOut:
			d.Notify(notice.Infof("The Jobs could not be waited for: %v", err))
		}
	}
}

// jobTimeout is how long to wait for the Job of a run that has ended.
const jobTimeout = 30 * time.Second

// ended returns those runs that have an end in the store. If the store can't be read, no run is known to have ended.
func (d *Definitions) ended(ctx context.Context, stack *program.Stack, namespace string, live []cluster.LiveRun) []string {
	if len(live) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	s, err := d.OpenStore(ctx, stack.ArtifactStore)
	if err != nil {
		return nil
	}
	defer s.Close()
	var out []string
	for _, run := range live {
		end, err := history.End(ctx, s, &record.Run{Namespace: namespace, Pipeline: run.Pipeline, Name: run.Name})
		if err != nil {
			return out
		}
		if end != nil {
			out = append(out, run.Name)
		}
	}
	return out
}

// unnamed returns the options for a project without a name: its objects are known by the pipelines that it declares.
func (d *Definitions) unnamed(ctx context.Context, c *project.Compiled, stack *program.Stack, pipelines []string, conn *connect.Connection) (cluster.Options, error) {
	if err := d.Report(c); err != nil {
		return cluster.Options{}, err
	}
	w, err := d.want(ctx, c, stack, pipelines, conn, false)
	if err != nil {
		return cluster.Options{}, err
	}
	return w.options, nil
}

func pipelinesOf(changes *cluster.Changes) []string {
	var out []string
	for i := range changes.List {
		if p := changes.List[i].Pipeline; !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
