// Package rerun plans a run, without starting it: which steps belong to `run --step`, and which steps
// of a run are run again by `rerun`, with the reason of each. It is pure: it reads programs and records, and no store.
package rerun

import (
	"fmt"
	"slices"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// UnknownStepError says that a program has no step of that address.
type UnknownStepError struct {
	Step string
	Have []string // the addresses that there are instead, sorted
	Why  string   // what else is wrong with the address; "": there is no such step
}

func (e *UnknownStepError) Error() string {
	if e.Why != "" {
		return e.Why
	}
	return fmt.Sprintf("there is no step %q in this pipeline", e.Step)
}

// Closure is the steps named and all that they need, directly or not, as Run.Only lists them: sorted, and each part only once.
// A name may be the address of an instance or of a step of a called pipeline. Then only that part of the step takes part,
// with what it needs. Steps of finally are in it only by name.
func Closure(p *program.Program, names []string) ([]string, error) {
	c := closure{program: p, steps: map[string]map[string]*program.Step{"": index(p)}, want: map[record.Address]bool{}}
	for _, name := range names {
		if err := c.named(name); err != nil {
			return nil, err
		}
	}
	for len(c.todo) > 0 {
		at := c.todo[len(c.todo)-1]
		c.todo = c.todo[:len(c.todo)-1]
		c.needs(at)
	}
	return c.list(), nil
}

// closure collects addresses and what they need.
type closure struct {
	program *program.Program
	steps   map[string]map[string]*program.Step // by called pipeline and name; those of the program itself under ""
	want    map[record.Address]bool
	todo    []record.Address
}

// named adds an address that was given by the user, and the steps that it is part of, whose needs count too.
func (c *closure) named(name string) error {
	if err := Known(c.program, name); err != nil {
		return err
	}
	at := record.Address(name)
	for above, ok := at, true; ok; above, ok = above.Parent() {
		if _, round := above.Round(); round {
			parent, _ := above.Parent()
			return &UnknownStepError{Step: name, Have: []string{parent.String()}, Why: fmt.Sprintf("%q is a round, and rounds can't be run alone: name %q", above, parent)}
		}
	}
	c.add(at)
	for child := at; ; {
		above, inner := child.Parent()
		if !inner {
			return nil
		}
		if _, instance := child.Key(); !instance { // an instance needs what its step needs
			c.todo = append(c.todo, above) // its needs, but not all that is in it
		}
		child = above
	}
}

func (c *closure) add(at record.Address) {
	if !c.want[at] {
		c.want[at] = true
		c.todo = append(c.todo, at)
	}
}

// needs adds what the step of an address needs: steps of the same pipeline.
func (c *closure) needs(at record.Address) {
	s, caller, key := c.find(at)
	if s == nil {
		return
	}
	for _, need := range s.Needs {
		on := record.Address(need.Step)
		if caller != "" {
			on = caller.Child(need.Step)
		}
		switch {
		case need.Instance == "" || key == "":
		case need.Instance == expr.EachKey:
			on = on.Instance(key)
		default:
			on = on.Instance(record.Key(need.Instance))
		}
		c.add(on)
	}
}

// find returns the step of an address, the address of the call that the step is in, and the key if the address is that of an
// instance.
func (c *closure) find(at record.Address) (s *program.Step, caller record.Address, key record.Key) {
	if k, ok := at.Key(); ok {
		key = k
		at, _ = at.Parent()
	}
	steps, pipeline := c.steps[""], ""
	names := at.Steps()
	for i, name := range names {
		if s = steps[name]; s == nil || i == len(names)-1 || s.Call == nil {
			break
		}
		pipeline = s.Call.Pipeline
		if steps = c.steps[pipeline]; steps == nil {
			called := c.program.CalledNamed(pipeline)
			if called == nil {
				return nil, "", ""
			}
			steps = stepsOf(c.steps, called)
		}
	}
	if parent, ok := at.Parent(); ok {
		caller = parent
	}
	return s, caller, key
}

// list returns the addresses without those that are part of others.
func (c *closure) list() []string {
	out := make([]string, 0, len(c.want))
	for at := range c.want {
		parent, inner := at.Parent()
		for ; inner && !c.want[parent]; parent, inner = parent.Parent() {
		}
		if !inner {
			out = append(out, at.String())
		}
	}
	slices.Sort(out)
	return out
}

// Known returns an *UnknownStepError if a program has no step with that address. Which instances and rounds a step has is
// not known before it runs, so any of them is accepted.
func Known(p *program.Program, address string) error {
	at, err := record.ParseAddress(address)
	if err != nil {
		return &UnknownStepError{Step: address, Have: sorted(index(p)), Why: err.Error()}
	}
	steps, prefix, names := index(p), "", at.Steps()
	for i, name := range names {
		s := steps[name]
		if s == nil {
			err := &UnknownStepError{Step: prefix + name}
			for _, other := range sorted(steps) {
				err.Have = append(err.Have, prefix+other)
			}
			return err
		}
		prefix += name + "."
		steps = map[string]*program.Step{}
		if i < len(names)-1 && s.Call != nil {
			if c := p.CalledNamed(s.Call.Pipeline); c != nil {
				steps = stepsOf(map[string]map[string]*program.Step{}, c)
			}
		}
		if s.ForEach == nil && i == len(names)-1 {
			if _, ok := at.Key(); ok {
				return &UnknownStepError{Step: address, Have: []string{prefix[:len(prefix)-1]}, Why: fmt.Sprintf("step %q has no for_each, and so no instances", prefix[:len(prefix)-1])}
			}
		}
	}
	return nil
}

func index(p *program.Program) map[string]*program.Step {
	out := map[string]*program.Step{}
	for _, s := range p.All() {
		out[s.Name] = s
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
