package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/runtime/image"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

// wanted is what the cluster of a stack should have of a project.
type wanted struct {
	stack    *program.Stack
	programs []*program.Program // bound
	missing  []pod.Missing      // what must be pushed before a run
	old      []string           // code that has changed since it was pushed
	options  cluster.Options
	report   report.Report
}

// clusterStack is the chosen stack of a command that is for clusters only.
func clusterStack(r *compiler.Result, what string) (*program.Stack, error) {
	stack, err := theStack(r)
	if err != nil {
		return nil, err
	}
	if stack.Orchestrator.Kind != "kubernetes" {
		return nil, usage("stack %q runs on this machine, and there is nothing to %s: choose a stack with orchestrator \"kubernetes\"%s", stack.Name, what, kubernetesStacks(r))
	}
	return stack, nil
}

// wantOptions say how what is wanted is found out.
type wantOptions struct {
	// cluster is asked for what definitions depend on of it; nil: none is, and the stack says its version.
	cluster *connect.Cluster
	push    bool // what isn't there yet is pushed first; else it is noted
}

// want says what is wanted of the pipelines named, or of all.
func (a *app) want(ctx context.Context, r *compiler.Result, stack *program.Stack, names []string, o wantOptions) (*wanted, error) {
	programs, err := chosenPrograms(r, names)
	if err != nil {
		return nil, err
	}
	w := &wanted{stack: stack, report: report.Report{Stack: stack.Name, Namespace: stack.Orchestrator.Namespace, Project: r.Project, Offline: o.cluster == nil}}
	known, err := w.ask(ctx, o.cluster)
	if err != nil {
		return nil, err
	}
	if o.push {
		if err := a.pushFirst(ctx, stack, programs, known); err != nil {
			return nil, err
		}
	}
	lock, err := a.lock()
	if err != nil {
		return nil, err
	}
	if !o.push {
		if lock, err = w.newer(ctx, a.dir, programs, lock); err != nil {
			return nil, err
		}
	}
	if w.programs, w.missing, err = bindTo(programs, stack, lock, known); err != nil {
		return nil, err
	}
	w.noteMissing()
	w.options.Project, w.options.Prune, w.options.CreateNamespace = r.Project, len(names) == 0, stack.Orchestrator.CreateNamespace
	for _, p := range w.programs {
		objects, err := kubernetes.Definition(p)
		if err != nil {
			return nil, world(err)
		}
		w.options.Objects = append(w.options.Objects, objects...)
		if err := w.describe(p); err != nil {
			return nil, world(err)
		}
	}
	if r.Project == "" {
		w.note("the project has no name (pipec { project = \"…\" }): what is no longer wanted is not pruned")
	}
	return w, nil
}

func (w *wanted) note(format string, args ...any) {
	w.report.Notes = append(w.report.Notes, fmt.Sprintf(format, args...))
}

// ask asks the cluster, where there is one, for what definitions depend on.
func (w *wanted) ask(ctx context.Context, c *connect.Cluster) (pod.Options, error) {
	if c == nil {
		w.options.Cluster = &connect.Cluster{Namespace: w.report.Namespace}
		return pod.Options{}, nil
	}
	w.options.Cluster, w.report.Context, w.report.Host = c, c.Context, c.Host
	return askCluster(ctx, c)
}

// askCluster asks a cluster for what definitions depend on.
func askCluster(ctx context.Context, c *connect.Cluster) (pod.Options, error) {
	facts, err := cluster.Ask(ctx, c)
	if err != nil {
		return pod.Options{}, world(err)
	}
	known := pod.Options{Version: facts.Version}
	if facts.Without != "" {
		known.Wrapper = pod.WrapperInit
	}
	return known, nil
}

// newer is the lock with the code as its files are now: what a plan shows is what an apply would do, which pushes first.
func (w *wanted) newer(ctx context.Context, dir string, programs []*program.Program, lock *program.Lock) (*program.Lock, error) {
	out := *lock
	out.Codes = maps.Clone(lock.Codes)
	seen := map[string]bool{}
	for _, p := range programs {
		for i := range p.Codes {
			c := &p.Codes[i]
			key := program.LockedCodeKey(w.stack.Name, c.Name)
			locked, ok := lock.Codes[key]
			if !ok || seen[key] {
				continue // one that was never pushed is missing
			}
			seen[key] = true
			digest, err := image.CodeDigest(ctx, dir, c)
			if err != nil {
				return nil, user(err)
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
	w.report.Pipelines = append(w.report.Pipelines, d)
	return nil
}

// noteMissing notes what isn't in the lock.
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

// compare fills the report from what the cluster says.
func (w *wanted) compare(ctx context.Context) error {
	changes, err := cluster.Plan(ctx, w.options)
	if err != nil {
		return world(err)
	}
	w.report.Changes = *changes
	w.report.Count()
	return nil
}

// reportFlags say how a plan is shown.
type reportFlags struct {
	full    bool
	context int
}

func (f *reportFlags) options(a *app) (report.Options, error) {
	if f.context < 0 {
		return report.Options{}, usage("--context is a number from 0 on")
	}
	return report.Options{Color: a.color(), Full: f.full, Context: f.context}, nil
}

// confirm asks on the terminal.
func (a *app) confirm(question string) (bool, error) {
	if _, err := fmt.Fprintf(a.stderr, "%s Only yes is taken for it: ", question); err != nil {
		return false, world(err)
	}
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(a.stderr)
	}
	if strings.TrimSpace(answer) == "yes" {
		return true, nil
	}
	fmt.Fprintln(a.stderr, "Nothing has been changed.")
	return false, nil
}

// canAsk says whether there is a person to ask.
func (a *app) canAsk() bool {
	f, ok := a.stdin.(*os.File)
	return ok && a.terminal && term.IsTerminal(int(f.Fd()))
}

// carryOut applies a plan, telling of each change, until Ctrl-C.
func (a *app) carryOut(ctx context.Context, tell io.Writer, o cluster.Options, changes *cluster.Changes) error {
	ctx, signals := a.onInterrupt(ctx)
	defer signals.stop()
	done := map[cluster.Action]string{
		cluster.Create: "created", cluster.Update: "changed", cluster.Replace: "made anew", cluster.Delete: "deleted", cluster.Keep: "kept",
	}
	err := cluster.Apply(ctx, o, changes, func(ch cluster.Change) {
		text := fmt.Sprintf("%s %s %s", ch.Kind, ch.Name, done[ch.Action])
		if ch.Why != "" {
			text += ": run " + ch.Why + " needs it"
		}
		fmt.Fprintln(tell, text)
	})
	if err != nil && signals.interrupted() {
		var partial *cluster.PartialError
		if errors.As(err, &partial) {
			fmt.Fprintf(a.stderr, "Interrupted: %d of %d changes have been made.\n", len(partial.Done), len(partial.Done)+partial.Left)
		}
		return said(exitInterrupted)
	}
	return world(err)
}

// applyFirst brings a pipeline's definition to the cluster where it is missing or old, before a run. Who may only start
// runs can: a definition of the very program that would be applied is left as it is, and nothing more is asked.
func (a *app) applyFirst(ctx context.Context, r *compiler.Result, stack *program.Stack, name string, c *connect.Cluster) error {
	w, err := a.want(ctx, r, stack, []string{name}, wantOptions{cluster: c, push: true})
	if err != nil {
		return err
	}
	if same, err := cluster.Applied(ctx, w.options); err != nil || same {
		return world(err)
	}
	if err := w.compare(ctx); err != nil {
		return err
	}
	if w.report.Empty() && len(w.report.Conflicts()) == 0 {
		return nil
	}
	fmt.Fprintf(a.stderr, "The definition of %s is %s.\n", name, map[bool]string{true: "applied", false: "brought up to date"}[w.report.Summary.Change == 0])
	return a.carryOut(ctx, a.stderr, w.options, &w.report.Changes)
}
