package rerun

import (
	"slices"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Change is what a rerun does differently from the run that it reruns.
type Change struct {
	Params []string // the params that have other values
	From   []string // the addresses of steps that run although they succeeded, with all that depends on them
}

// Empty reports whether nothing differs.
func (c *Change) Empty() bool { return len(c.Params) == 0 && len(c.From) == 0 }

// check reports an address of From that neither the program nor the earlier run has.
func (c *Change) check(now *program.Program, end *record.End) error {
	for _, from := range c.From {
		if slices.ContainsFunc(end.Steps, func(s record.StepEnd) bool { return s.Name == from }) {
			continue
		}
		if err := Known(now, from); err != nil {
			return err
		}
		if _, ok := record.Address(from).Key(); ok {
			return &UnknownStepError{Step: from, Have: names(end)}
		}
	}
	return nil
}

// names returns the addresses of all steps of an ended run, sorted.
func names(end *record.End) []string {
	var out []string
	for i := range end.Steps {
		out = append(out, end.Steps[i].Name)
	}
	slices.Sort(out)
	return out
}

// Decision is what a rerun does with a step, or with a part of it.
type Decision struct {
	Step string `json:"step"`           // its address
	Keep bool   `json:"keep"`           // its result is taken over
	Why  string `json:"why,omitempty"`  // it runs: "failed", "depends on trainer", "changed", "new", "was skipped", …
	Part bool   `json:"part,omitempty"` // only parts of it run: the decisions about its parts follow

	redone bool // it runs, although it or a part of it has succeeded
}

// Decide returns what is done with each step of now, when the run that ended as end is run again. was is the program of
// that run. A step is kept when it succeeded, is defined as it was, and depends on nothing that runs. only are the steps
// that take part; empty: all. gone are the addresses whose outputs are not in the store any more. Decisions come in the
// order of the program: steps, then finally. The decision about a step that is kept in part is followed by those about its
// instances, rounds and called steps, to any depth.
//
// What a step's code does is not compared: a user who fixes a failed step expects the others to be kept.
func Decide(was *program.Program, end *record.End, now *program.Program, only []string, change Change, gone map[string]bool) []Decision {
	d := newDecider(was, now, end, change, gone)
	d.selected = record.Select(only)
	root := d.scope("", index(was), index(now), set(change.Params))
	finally := map[string]bool{}
	for i := range now.Finally {
		finally[now.Finally[i].Name] = true
	}
	var out []Decision
	for _, s := range now.All() {
		switch {
		case !d.selected.Has(record.Address(s.Name)):
		case finally[s.Name]:
			out = append(out, Decision{Step: s.Name, Why: finallyRuns})
		default:
			out = append(out, d.decisions(record.Address(s.Name), root.judge(s))...)
		}
	}
	return out
}

const finallyRuns = "finally always runs"

// Kept are the names of the steps that are kept, whole or in part, in order.
func Kept(decisions []Decision) []string {
	var out []string
	for _, d := range decisions {
		if (d.Keep || d.Part) && record.Address(d.Step).Root() == d.Step {
			out = append(out, d.Step)
		}
	}
	return out
}

// Redone are the addresses of the parts of Kept steps that run although they, or parts of them, have succeeded. Parts that
// have not succeeded are never taken over, so the list is short even if a step has many.
func Redone(decisions []Decision) []string {
	var out []string
	for _, d := range decisions {
		if d.redone && record.Address(d.Step).Root() != d.Step {
			out = append(out, d.Step)
		}
	}
	return out
}

// decider has what the decisions about all steps read.
type decider struct {
	old, new  *program.Program
	ends      map[record.Address]*record.StepEnd
	parts     map[record.Address][]record.Address // instances and rounds, in the order of the record
	succeeded map[record.Address]bool             // it, or a part of it, has succeeded
	gone      map[string]bool
	from      map[string]bool
	selected  *record.Selection
	equal     map[pair]bool                       // whether the definitions are the same, as far as they were compared
	called    map[string]map[string]*program.Step // the steps of called pipelines of new, by pipeline and name
	calledWas map[string]map[string]*program.Step // those of old
	refs      map[*program.Step]*references       // what steps read
}

// pair is a step as it was, and as it is now.
type pair struct{ was, now *program.Step }

func newDecider(was, now *program.Program, end *record.End, change Change, gone map[string]bool) *decider {
	d := &decider{
		old: was, new: now, gone: gone, from: set(change.From),
		ends: map[record.Address]*record.StepEnd{}, parts: map[record.Address][]record.Address{}, succeeded: map[record.Address]bool{},
		equal: map[pair]bool{}, called: map[string]map[string]*program.Step{}, calledWas: map[string]map[string]*program.Step{},
		refs: map[*program.Step]*references{},
	}
	for i := range end.Steps {
		s := &end.Steps[i]
		at := record.Address(s.Name)
		d.ends[at] = s
		parent, inner := at.Parent()
		_, instance := at.Key()
		if _, round := at.Round(); inner && (instance || round) {
			d.parts[parent] = append(d.parts[parent], at)
		}
		for ok := s.Status == record.Succeeded; ok && !d.succeeded[at]; at, ok = at.Parent() {
			d.succeeded[at] = true
		}
	}
	return d
}

// decisions returns the decisions that a verdict about a node leads to.
func (d *decider) decisions(at record.Address, v *verdict) []Decision {
	one := Decision{Step: at.String(), Keep: v.keep, Why: v.why, Part: len(v.parts) > 0}
	one.redone = !v.same && !one.Part && d.succeeded[at]
	return append([]Decision{one}, v.parts...)
}

func set(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}
