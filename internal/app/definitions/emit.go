package definitions

import (
	"pipec.dev/pipec/emit"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// EmitRequest are the options of Emit.
type EmitRequest struct {
	Pipelines []string // empty: all
	Target    string   // "": the default of the stack's orchestrator
	Run       bool     // write a run of each pipeline too
}

// Emitted are pipelines as text for a target.
type Emitted struct {
	Documents []emit.Document
	Stack     *program.Stack
	Missing   []pod.Missing // what must be pushed before a run
	// AnyVersion reports that the documents are written for any version of the cluster, because its version is not known.
	AnyVersion bool
}

// Emit writes pipelines for a target. It reads the project and its lock, and queries no cluster and no registry.
func (d *Definitions) Emit(r EmitRequest) (*Emitted, error) {
	targets := d.Tables().Targets
	if r.Target != "" {
		if _, err := targets.Find(r.Target); err != nil {
			return nil, fault.As(fault.Usage, err)
		}
	}
	c, err := d.Checked()
	if err != nil {
		return nil, err
	}
	stack, target, err := d.target(c, r.Target)
	if err != nil {
		return nil, err
	}
	programs, err := c.Pipelines(r.Pipelines)
	if err != nil {
		return nil, err
	}
	out := &Emitted{Stack: stack}
	if target.Bound {
		lock, err := d.Lock()
		if err != nil {
			return nil, err
		}
		if programs, out.Missing, err = bind(programs, stack, lock, pod.Options{}); err != nil {
			return nil, err
		}
		out.AnyVersion = stack.Orchestrator.Version == "" && lock.Clusters[stack.Name].Version == ""
	}
	out.Documents, err = target.Write(programs, emit.Options{Run: r.Run, Stack: stack, Kinds: d.Tables().Kinds})
	return out, fault.Env(err)
}

// target returns the chosen stack, and the target of that name, or the default one of the stack.
func (d *Definitions) target(c *project.Compiled, name string) (*program.Stack, *emit.Target, error) {
	stack, err := c.TheStack()
	if err != nil {
		return nil, nil, err
	}
	var target *emit.Target
	var all []string // the kinds that programs can be written for
	for _, o := range d.Tables().Kinds.Orchestrators {
		t := d.targetFor(o, name)
		if t == nil {
			continue
		}
		if all = append(all, o.Kind); o.Kind == stack.Orchestrator.Kind {
			target = t
		}
	}
	return stack, target, d.mustBe(c, stack, all, "write for it")
}

// targetFor returns the target of that name, or the default one, for a kind of orchestrator; nil if nothing can be written.
func (d *Definitions) targetFor(o *kinds.Orchestrator, name string) *emit.Target {
	targets := d.Tables().Targets
	if name == "" {
		if t, ok := targets.Default(o.Kind); ok {
			return &t
		}
		return nil
	}
	t, err := targets.Find(name)
	if err != nil || t.Bound && !o.Pods {
		return nil
	}
	return &t
}
