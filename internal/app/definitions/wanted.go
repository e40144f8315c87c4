package definitions

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	emitaws "pipec.dev/pipec/emit/aws"
	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/runtime/image"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

// wanted is the desired state of a stack's cluster.
type wanted struct {
	project  *project.Project
	stack    *program.Stack
	programs []*program.Program // bound
	missing  []pod.Missing      // what must be pushed before a run
	old      []string           // code that has changed since it was pushed
	options  cluster.Options
	report   report.Report
}

// want returns the desired state for the pipelines named, or for all. The cluster is queried for what definitions depend
// on; without one the stack's version counts. With push, what is missing in the registry and the store is pushed first;
// else it is noted in the report.
func (d *Definitions) want(ctx context.Context, c *project.Compiled, stack *program.Stack, names []string, conn *connect.Connection, push bool) (*wanted, error) {
	programs, err := c.Pipelines(names)
	if err != nil {
		return nil, err
	}
	w := &wanted{project: d.Project, stack: stack, report: report.Report{
		Stack: stack.Name, Namespace: stack.Orchestrator.Namespace, Project: c.Result.Project, Offline: conn == nil,
	}}
	known, err := w.query(ctx, conn)
	if err != nil {
		return nil, err
	}
	if push {
		if err := d.pushFirst(ctx, stack, programs, known); err != nil {
			return nil, err
		}
	}
	lock, err := d.Lock()
	if err != nil {
		return nil, err
	}
	if !push {
		if lock, err = w.updated(ctx, d.Dir(), programs, lock); err != nil {
			return nil, err
		}
	}
	if w.programs, w.missing, err = bind(programs, stack, lock, known); err != nil {
		return nil, err
	}
	w.noteMissing()
	w.noteUnbound(lock.Recipes[stack.Name].Accounts)
	w.options.Project, w.options.Prune, w.options.CreateNamespace = c.Result.Project, len(names) == 0, stack.Orchestrator.CreateNamespace
	for _, p := range w.programs {
		objects, err := kubernetes.DefinitionWith(p, d.Tables().Kinds)
		if err != nil {
			return nil, fault.Env(err)
		}
		w.options.Objects = append(w.options.Objects, objects...)
		if err := w.describe(p); err != nil {
			return nil, fault.Env(err)
		}
	}
	if c.Result.Project == "" {
		w.note("the project has no name (pipec { project = \"…\" }), so objects that are no longer declared are not deleted")
	}
	return w, nil
}

// noteUnbound notes the pipelines to whose service accounts the recipe of the stack has not bound its roles yet. Their pods couldn't
// read the artifact store.
func (w *wanted) noteUnbound(bound program.Accounts) {
	if w.stack.Recipe == nil || !w.stack.Recipe.HasRoles() {
		return
	}
	var names []string
	for _, p := range w.programs {
		needs := emitaws.AccountsOf([]*program.Program{p}, w.stack)
		if !slices.Contains(bound.Coordinators, needs.Coordinators[0]) || !slices.Contains(bound.Steps, needs.Steps[0]) {
			names = append(names, p.Pipeline)
		}
	}
	if len(names) > 0 {
		w.note("the service accounts of %s have no roles on AWS yet: pipec stack up binds them", strings.Join(names, ", "))
	}
}

// pending is the change that brings the cluster to the desired state.
func (w *wanted) pending() *Pending {
	return &Pending{
		Report: w.report, Stack: w.stack, Programs: w.programs, project: w.project, options: w.options,
		missing: len(w.missing) + len(w.old),
	}
}

func (w *wanted) note(format string, args ...any) {
	w.report.Notes = append(w.report.Notes, fmt.Sprintf(format, args...))
}

// query queries the cluster for what definitions depend on; nil: there is none to query.
func (w *wanted) query(ctx context.Context, c *connect.Connection) (pod.Options, error) {
	if c == nil {
		w.options.Cluster = &connect.Connection{Namespace: w.report.Namespace}
		return pod.Options{}, nil
	}
	w.options.Cluster, w.report.Context, w.report.Host = c, c.Context, c.Host
	return queryCluster(ctx, c)
}

func queryCluster(ctx context.Context, c *connect.Connection) (pod.Options, error) {
	facts, err := cluster.Ask(ctx, c)
	if err != nil {
		return pod.Options{}, fault.Env(err)
	}
	known := pod.Options{Version: facts.Version}
	if facts.Without != "" {
		known.Wrapper = pod.WrapperInit
	}
	return known, nil
}

// updated returns the lock with the code as its files are now, because a plan shows what apply would do, and apply pushes
// first.
func (w *wanted) updated(ctx context.Context, dir string, programs []*program.Program, lock *program.Lock) (*program.Lock, error) {
	out := *lock
	out.Codes = maps.Clone(lock.Codes)
	seen := map[string]bool{}
	for _, p := range programs {
		for i := range p.Codes {
			c := &p.Codes[i]
			key := program.LockedCodeKey(w.stack.Name, c.Name)
			locked, ok := lock.Codes[key]
			if !ok || seen[key] {
				continue // code that was never pushed is missing
			}
			seen[key] = true
			digest, err := image.CodeDigest(ctx, dir, c)
			if err != nil {
				return nil, fault.As(fault.User, err)
			}
			if digest != locked.Digest {
				locked.Digest = digest
				out.Codes[key] = locked
				w.old = append(w.old, c.Name)
				w.note("code %s has changed since it was pushed: apply and `pipec push` push it", c.Name)
			}
		}
	}
	return &out, nil
}

func (w *wanted) describe(p *program.Program) error {
	d, err := report.Describe(p, time.Now())
	if err != nil {
		return err
	}
	leaving, err := restricted.Leaving(p)
	if err != nil {
		return err
	}
	for _, l := range leaving {
		d.Restricted = append(d.Restricted, report.Leave{Step: l.Step, Reasons: l.Reasons})
	}
	if d.Pods, err = report.Pods(p, d.Restricted); err != nil {
		return err
	}
	w.report.Pipelines = append(w.report.Pipelines, d)
	return nil
}

// noteMissing notes what the lock does not have.
func (w *wanted) noteMissing() {
	for _, m := range w.missing {
		switch {
		case m.Built:
			w.note("image %s has to be built and pushed", m.Name)
		case m.Kind == pod.MissingAgent:
			w.note("the agent's image %s is not pushed: apply and `pipec push` push it", m.Name)
		case m.Kind == pod.MissingCode:
			w.note("code %s is not pushed: apply and `pipec push` push it", m.Name)
		default:
			w.note("image %s is not pinned by a digest, and steps with it are not cached: apply and `pipec push` look it up", m.Name)
		}
	}
}

// compare compares the desired state with the cluster.
func (w *wanted) compare(ctx context.Context) error {
	changes, err := cluster.Plan(ctx, w.options)
	if err != nil {
		return fault.Env(err)
	}
	w.report.Changes = *changes
	w.report.Count()
	return nil
}

// Update applies the definition of one pipeline where it is missing or outdated, before a run. A definition of the very
// program that would be applied is left as it is and nothing more is queried, so that a user who may only start runs can.
func (d *Definitions) Update(ctx context.Context, c *project.Compiled, stack *program.Stack, pipeline string, conn *connect.Connection) error {
	w, err := d.want(ctx, c, stack, []string{pipeline}, conn, true)
	if err != nil {
		return err
	}
	if same, err := cluster.Applied(ctx, w.options); err != nil || same {
		return fault.Env(err)
	}
	if err := w.compare(ctx); err != nil {
		return err
	}
	if w.report.Empty() && len(w.report.Conflicts()) == 0 {
		return nil
	}
	done := "updated"
	if w.report.Summary.Change == 0 {
		done = "applied"
	}
	d.Notify(notice.Infof("The definition of %s is %s.", pipeline, done))
	return w.pending().Apply(ctx)
}

// bind binds programs to a stack, and lists what the lock does not have, each once.
func bind(programs []*program.Program, stack *program.Stack, lock *program.Lock, o pod.Options) ([]*program.Program, []pod.Missing, error) {
	var out []*program.Program
	var missing []pod.Missing
	for _, p := range programs {
		bound, m, err := pod.Bind(p, stack, lock, o)
		if err != nil {
			return nil, nil, fault.As(fault.User, fmt.Errorf("pipeline %q: %w", p.Pipeline, err))
		}
		out = append(out, bound)
		for _, m := range m {
			if !slices.Contains(missing, m) {
				missing = append(missing, m)
			}
		}
	}
	return out, missing, nil
}
