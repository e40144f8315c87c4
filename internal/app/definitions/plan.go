package definitions

import (
	"context"
	"slices"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/runtime/kube"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/program"
)

// PlanRequest selects what is planned.
type PlanRequest struct {
	Pipelines []string // empty: all of the project, and what the project no longer has is deleted
	Offline   bool     // query no cluster
	Force     bool     // take over fields that other managers have set
}

// Plan returns what Apply would change. It changes nothing. Steps that are cached are looked up in the store.
func (d *Definitions) Plan(ctx context.Context, r PlanRequest) (*Pending, error) {
	c, err := d.Checked()
	if err != nil {
		return nil, err
	}
	stack, err := d.stack(c, "plan")
	if err != nil {
		return nil, err
	}
	if r.Offline {
		return d.planOffline(ctx, c, stack, r)
	}
	conn, err := connect.Open(ctx, stack.Orchestrator, d.Env())
	if err != nil {
		return nil, fault.Env(err)
	}
	w, err := d.want(ctx, c, stack, r.Pipelines, conn, false)
	if err != nil {
		return nil, err
	}
	w.options.Force = r.Force
	if err := w.compare(ctx); err != nil {
		return nil, err
	}
	d.forecast(ctx, w)
	return w.pending(), nil
}

func (d *Definitions) planOffline(ctx context.Context, c *project.Compiled, stack *program.Stack, r PlanRequest) (*Pending, error) {
	w, err := d.want(ctx, c, stack, r.Pipelines, nil, false)
	if err != nil {
		return nil, err
	}
	changes, err := cluster.Offline(w.options)
	if err != nil {
		return nil, fault.Env(err)
	}
	w.report.Changes = *changes
	w.report.Count()
	return w.pending(), nil
}

// ApplyRequest selects what is applied.
type ApplyRequest struct {
	Pipelines []string // empty: all of the project, and what the project no longer has is deleted
	Force     bool     // take over fields that other managers have set
	One       bool     // the pipelines have to be one, because a run is started afterwards
}

// Prepare pushes what the definitions refer to, and returns the change that Pending.Apply makes.
func (d *Definitions) Prepare(ctx context.Context, r ApplyRequest) (*Pending, error) {
	c, err := d.Checked()
	if err != nil {
		return nil, err
	}
	stack, err := d.stack(c, "apply")
	if err != nil {
		return nil, err
	}
	if r.One {
		name := ""
		if len(r.Pipelines) > 0 {
			name = r.Pipelines[0]
		}
		if _, err := c.Pipeline(name); err != nil {
			return nil, err
		}
	}
	conn, err := connect.Open(ctx, stack.Orchestrator, d.Env())
	if err != nil {
		return nil, fault.Env(err)
	}
	if err := d.readable(ctx, stack, conn.Namespace); err != nil {
		return nil, err
	}
	w, err := d.want(ctx, c, stack, r.Pipelines, conn, true)
	if err != nil {
		return nil, err
	}
	w.options.Force = r.Force
	if err := w.compare(ctx); err != nil {
		return nil, err
	}
	return w.pending(), nil
}

// forecastTimeout bounds how long the store is asked for cached results.
const forecastTimeout = 20 * time.Second

// forecast adds to the report what a run would find in the cache now. A store that can't be read is noted.
func (d *Definitions) forecast(ctx context.Context, w *wanted) {
	ctx, cancel := context.WithTimeout(ctx, forecastTimeout)
	defer cancel()
	var s stores.Store
	for i, p := range w.programs {
		if !slices.ContainsFunc(p.All(), func(s *program.Step) bool { return s.Cache != nil }) {
			continue
		}
		var err error
		if s == nil {
			s, err = d.OpenStore(ctx, w.stack.ArtifactStore)
		}
		var run *kube.Forecast
		if err == nil {
			run, err = kube.Foresee(ctx, s, p)
		}
		if err != nil {
			w.note("what a run would find in the cache is not known: %v", err)
			break
		}
		if run != nil {
			w.report.Pipelines[i].Run = &report.Run{Cached: run.Cached, Run: run.Run}
		}
	}
	if s != nil {
		_ = s.Close()
	}
}
