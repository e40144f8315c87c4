package definitions

import (
	"context"
	"slices"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/schema/program"
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
	changes, err := cluster.Destroy(ctx, options, pipelines)
	if err != nil {
		return nil, fault.Env(err)
	}
	p := &Pending{Stack: stack, project: d.Project, options: options, Report: report.Report{
		Stack: stack.Name, Context: conn.Context, Host: conn.Host, Namespace: conn.Namespace, Project: c.Result.Project, Destroy: true, Changes: *changes,
		Notes: []string{"artifacts and records stay in " + stack.ArtifactStore.Path},
	}}
	p.Report.Count()
	if len(changes.List) > 0 {
		if p.Report.Runs, err = cluster.LiveRuns(ctx, conn, pipelinesOf(changes)); err != nil {
			return nil, fault.Env(err)
		}
	}
	return p, nil
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
