// Package definitions has the use cases about the definitions of pipelines on a cluster: what would change there, making
// the change, removing all of it, writing it as manifests, and pushing the images and code that it refers to. It starts
// no runs, does not ask for consent and prints nothing: it returns what would change, and a second call makes the change.
package definitions

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/schema/program"
)

// Definitions are those of a project. Errors of its methods are faults.
type Definitions struct {
	*project.Project
	applied []string
}

// New returns the definitions of a project. applied are the kinds of orchestrators that pipelines are applied to.
func New(p *project.Project, applied []string) *Definitions {
	return &Definitions{p, applied}
}

// stack returns the chosen stack for a use case, which does something that is only done for a cluster.
func (d *Definitions) stack(c *project.Compiled, do string) (*program.Stack, error) {
	stack, err := c.TheStack()
	if err != nil {
		return nil, err
	}
	return stack, d.mustBe(c, stack, d.applied, do)
}

// mustBe returns a fault if the orchestrator of a stack is of none of the kinds, so that there is nothing to do for it.
func (d *Definitions) mustBe(c *project.Compiled, stack *program.Stack, kinds []string, do string) error {
	if slices.Contains(kinds, stack.Orchestrator.Kind) {
		return nil
	}
	var quoted, names []string
	for _, kind := range kinds {
		quoted = append(quoted, strconv.Quote(kind))
	}
	for _, s := range c.Stacks {
		if slices.Contains(kinds, s.Orchestrator.Kind) {
			names = append(names, "--stack "+s.Name)
		}
	}
	text := "choose a stack with orchestrator " + strings.Join(quoted, " or ")
	if len(names) > 0 {
		text += " (" + strings.Join(names, ", ") + ")"
	}
	where := "on " + stack.Orchestrator.Kind
	if row := d.Tables().Kinds.Orchestrator(stack.Orchestrator.Kind); row != nil {
		where = "its steps as " + row.Doc
	}
	return fault.Usagef("stack %q runs %s, so there is nothing to %s", stack.Name, where, do).WithHint("%s", text)
}

// Applicable returns a fault if the project has errors, or if its stack has nothing to do what do says, such as "apply".
func (d *Definitions) Applicable(do string) error {
	c, err := d.ForStack()
	if err != nil {
		return err
	}
	_, err = d.stack(c, do)
	return err
}

// Pending is a change of the cluster that is planned and not made yet.
type Pending struct {
	Report report.Report
	Stack  *program.Stack
	// Programs are those of the pipelines that the change is about. They are bound to the stack, unless they are of a
	// saved plan.
	Programs []*program.Program

	project *project.Project
	options cluster.Options
	missing int // images and code that must be pushed before the plan can be saved
}

// Conflicts returns the fault that other managers have set fields which the change would set; nil if none have, or if they
// are taken over.
func (p *Pending) Conflicts() error {
	if found := p.Report.Conflicts(); len(found) > 0 && !p.options.Force {
		return fault.Env(&cluster.ConflictError{Changes: found})
	}
	return nil
}

// Save writes the plan to a file, which LoadPlan reads.
func (p *Pending) Save(path string) error {
	if p.missing > 0 {
		return fault.Userf("the plan refers to images or code that are not pushed yet, and can't be saved").WithHint("push them first: pipec push")
	}
	saved := cluster.Saved{Pipec: p.project.Version(), Stack: p.Stack.Name, Pipelines: p.Pipelines()}
	if err := cluster.Save(path, saved, p.options, &p.Report.Changes); err != nil {
		return &fault.Fault{Kind: fault.Environment, Message: "the plan can't be saved: " + err.Error(), Err: err}
	}
	return nil
}

// Pipelines are the names of those that the change is about.
func (p *Pending) Pipelines() []string {
	names := []string{}
	for _, one := range p.Programs {
		names = append(names, one.Pipeline)
	}
	return names
}

// Apply makes the change, and notifies the observer of each object. The end of ctx stops it between two objects.
func (p *Pending) Apply(ctx context.Context) error {
	err := cluster.Apply(ctx, p.options, &p.Report.Changes, func(ch cluster.Change) { p.project.Notify(notice.Changed{Change: ch}) })
	if err == nil || ctx.Err() == nil {
		return fault.Env(err)
	}
	var partial *cluster.PartialError
	if errors.As(err, &partial) {
		made, all := len(partial.Done), len(partial.Done)+partial.Left
		return &fault.Fault{Kind: fault.Interrupted, Message: notice.Infof("Interrupted: %d of %d changes were made.", made, all).String(), Err: err}
	}
	return fault.Interruption(ctx, err)
}

// LoadPlan reads a saved plan and compares it with the cluster. It is a fault if the cluster has changed since.
func (d *Definitions) LoadPlan(ctx context.Context, path string) (*Pending, error) {
	saved, err := cluster.LoadSaved(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Usagef("there is no plan %s", path)
	}
	if err != nil {
		return nil, planFault(err)
	}
	c, err := d.ForStack()
	if err != nil {
		return nil, err
	}
	stack, err := d.stack(c, "apply")
	if err != nil {
		return nil, err
	}
	conn, err := connect.Open(ctx, stack.Orchestrator, d.Env())
	if err != nil {
		return nil, fault.Env(err)
	}
	if err := d.readable(ctx, stack, conn.Namespace); err != nil {
		return nil, err
	}
	options, err := saved.Options(path, d.Version(), stack.Name, cluster.Options{Cluster: conn})
	if err != nil {
		return nil, planFault(err)
	}
	changes, err := saved.Replan(ctx, options)
	if err != nil {
		return nil, fault.Env(err)
	}
	p := &Pending{Stack: stack, project: d.Project, options: options, Report: report.Report{
		Stack: stack.Name, Context: conn.Context, Host: conn.Host, Namespace: conn.Namespace, Project: saved.Project, Changes: *changes,
	}}
	p.Report.Count()
	for _, name := range saved.Pipelines {
		if one := c.Program(name); one != nil {
			p.Programs = append(p.Programs, one)
		}
	}
	return p, nil
}

// planFault makes an error of a saved plan a fault: the file is the user's.
func planFault(err error) error {
	var bad *cluster.PlanFileError
	if errors.As(err, &bad) {
		return fault.As(fault.User, err)
	}
	return fault.Env(err)
}
