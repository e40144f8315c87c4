// Package app has the use cases of pipec as a library: what `pipec` does on a command line, and what a web page or a test
// may do in the same way. Requests and results are plain data and errors are faults (package fault), with a kind in the
// place of an exit status. It prints nothing, asks no questions and reads no flags: progress goes to the observer of the options.
//
// A Project is the entrance. Each room behind it has a package: definitions (what a cluster has of the pipelines),
// orchestrator (runs), records (what runs have left).
package app

import (
	"context"
	"time"

	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/orchestrator/cluster"
	"pipec.dev/pipec/internal/app/orchestrator/machine"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/store"
)

// Orchestrators returns the table of pipec's own orchestrators. Each kind also has a row in package schema/kinds, which
// declares its attributes.
func Orchestrators() orchestrator.Table {
	return orchestrator.Table{
		{Kind: "local", Open: machine.Open, Check: machine.Check},
		{Kind: "kubernetes", Applied: true, Detached: true, Open: cluster.Open, Check: cluster.Check},
	}
}

// Options say how a project is opened. Their tables have a row for everything that a stack can be built from: project.Tables
// for what is compiled, stored and written, and Orchestrators for what runs steps.
type Options struct {
	project.Options
	Orchestrators orchestrator.Table // nil: Orchestrators()
}

// Project is a project, as the use cases see it. It is safe for concurrent use.
type Project struct {
	*project.Project
	table orchestrator.Table
}

// Open opens the project in dir. Nothing is read yet.
func Open(dir string, o Options) *Project {
	if o.Orchestrators == nil {
		o.Orchestrators = Orchestrators()
	}
	return &Project{project.New(dir, o.Options), o.Orchestrators}
}

// Definitions are those of the project's pipelines on a cluster.
func (p *Project) Definitions() *definitions.Definitions {
	return definitions.New(p.Project, p.table.Applied())
}

// Runs are the runs of the chosen stack.
type Runs struct {
	orchestrator.Orchestrator
	// Detached says that a run continues without the process that follows it.
	Detached bool
	stack    *orchestrator.Stack
	check    func(context.Context, *orchestrator.Stack) []store.Finding
}

// StackName is the name of the stack.
func (r *Runs) StackName() string { return r.stack.Stack.Name }

// StackKind is the kind of the stack's orchestrator.
func (r *Runs) StackKind() string { return r.stack.Stack.Orchestrator.Kind }

// Runner compiles the project for starting runs: errors in its files are a fault, and the observer is notified of them.
func (p *Project) Runner() (*Runs, error) { return p.runs(p.Checked()) }

// Runs compiles the project for reading and steering runs, for which errors in pipelines don't matter.
func (p *Project) Runs() (*Runs, error) { return p.runs(p.ForStack()) }

func (p *Project) runs(c *project.Compiled, err error) (*Runs, error) {
	if err != nil {
		return nil, err
	}
	stack, err := c.TheStack()
	if err != nil {
		return nil, err
	}
	row, err := p.table.Row(stack)
	if err != nil {
		return nil, err
	}
	s := &orchestrator.Stack{Project: p.Project, Compiled: c, Stack: stack}
	return &Runs{Orchestrator: row.Open(s), Detached: row.Detached, stack: s, check: row.Check}, nil
}

// Latest returns the name of the newest run of a pipeline, or of all for "", for an orchestrator whose runs have no records
// at first; "" for others: the records know it.
func (r *Runs) Latest(ctx context.Context, pipeline string) (string, error) {
	o, ok := r.Orchestrator.(interface {
		Latest(ctx context.Context, pipeline string) (string, error)
	})
	if !ok {
		return "", nil
	}
	return o.Latest(ctx, pipeline)
}

// Backfill returns the runs that a schedule of a pipeline would have started between two moments. The only schedule needs no name.
func (r *Runs) Backfill(pipeline, schedule string, from, to time.Time) (*orchestrator.Backfill, error) {
	return r.stack.Backfill(pipeline, schedule, from, to)
}

// Records reads what the runs have left. The caller closes them.
func (r *Runs) Records(ctx context.Context) (*records.Records, error) {
	reader, err := r.Reader(ctx)
	if err != nil {
		return nil, err
	}
	return records.New(reader), nil
}

// Check tries what runs will need, part by part. What is not in order is in the findings, and no fault.
func (r *Runs) Check(ctx context.Context) []store.Finding { return r.check(ctx, r.stack) }
