package rerun

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Decision is what a rerun does with a step.
type Decision struct {
	Step string `json:"step"`
	Keep bool   `json:"keep"`           // its result is taken over
	Why  string `json:"why,omitempty"`  // it runs: "failed", "depends on trainer", "changed", "new", "was skipped", …
	Part bool   `json:"part,omitempty"` // it runs, except for its instances that succeeded
}

// Decide returns what is done with each step of now, when the run that ended as end is run again. was is the program of
// that run. A step is kept when it succeeded, is defined as it was, and depends on nothing that runs. only are the steps
// that take part; empty: all. gone are those whose outputs are not in the store any more. Decisions come in the order of
// the program: steps, then finally.
//
// What a step's code does is not compared: a user who fixes a failed step expects the others to be kept.
func Decide(was *program.Program, end *record.End, now *program.Program, only []string, gone map[string]bool) []Decision {
	r := decider{old: was, new: now, gone: gone, was: index(was), now: index(now), ends: map[string]*record.StepEnd{}, verdicts: map[string]verdict{}}
	for i := range end.Steps {
		r.ends[end.Steps[i].Name] = &end.Steps[i]
	}
	finally := map[string]bool{}
	for i := range now.Finally {
		finally[now.Finally[i].Name] = true
	}
	var out []Decision
	for _, s := range now.All() {
		switch {
		case len(only) > 0 && !slices.Contains(only, s.Name):
		case finally[s.Name]:
			out = append(out, Decision{Step: s.Name, Why: "finally always runs"})
		default:
			v := r.judge(s)
			out = append(out, Decision{Step: s.Name, Keep: v.keep, Part: v.part, Why: v.why})
		}
	}
	return out
}

// Kept are the names of the steps that are kept, whole or in part, in order.
func Kept(decisions []Decision) []string {
	var out []string
	for _, d := range decisions {
		if d.Keep || d.Part {
			out = append(out, d.Step)
		}
	}
	return out
}

type decider struct {
	old, new *program.Program
	was, now map[string]*program.Step
	ends     map[string]*record.StepEnd
	verdicts map[string]verdict
	gone     map[string]bool
}

// verdict: same says that those who depend on the step find it as it was. That is so for steps that are kept, and for
// those that would be skipped again for the same reason.
type verdict struct {
	keep, same, part bool
	why              string
}

// judge judges the step, and what it needs before it. It keeps its own stack: chains are as long as programs.
func (r *decider) judge(s *program.Step) verdict {
	todo := []*program.Step{s}
	for len(todo) > 0 {
		top := todo[len(todo)-1]
		if _, done := r.verdicts[top.Name]; done {
			todo = todo[:len(todo)-1]
			continue
		}
		ready := true
		for _, need := range top.Needs {
			if _, done := r.verdicts[need.Step]; !done && r.now[need.Step] != nil {
				ready = false
				todo = append(todo, r.now[need.Step])
			}
		}
		if ready {
			r.verdicts[top.Name] = r.verdict(top)
			todo = todo[:len(todo)-1]
		}
	}
	return r.verdicts[s.Name]
}

// verdict is of a step whose needs are judged.
func (r *decider) verdict(s *program.Step) verdict {
	end, old := r.ends[s.Name], r.was[s.Name]
	switch {
	case old == nil:
		return verdict{why: "new"}
	case end == nil:
		return verdict{why: "was not part of it"}
	case end.Status == record.Failed:
		return r.inPart(old, s, "failed")
	case end.Status == record.TimedOut:
		return r.inPart(old, s, "timed out")
	case end.Status == record.Cancelled:
		return r.inPart(old, s, "was cancelled")
	case end.Status != record.Succeeded && end.Status != record.Skipped:
		return verdict{why: "did not end"}
	case r.gone[s.Name]:
		return verdict{why: "its outputs are gone"}
	case !r.unchanged(old, s):
		return verdict{why: "changed"}
	}
	for _, need := range s.Needs {
		if v, ok := r.verdicts[need.Step]; !ok || !v.same {
			if end.Status == record.Skipped {
				return verdict{why: "was skipped"}
			}
			return verdict{why: "depends on " + need.Step}
		}
	}
	if end.Status == record.Succeeded {
		return verdict{keep: true, same: true}
	}
	again := end.Reason == record.ReasonConditionFalse || end.Reason == record.ReasonUpstreamSkipped
	return verdict{same: again && !readsRun(s), why: "was skipped"}
}

// readsRun reports whether the step's condition may differ only because the run is another one.
func readsRun(s *program.Step) bool {
	return slices.ContainsFunc(s.When.Refs(), func(ref string) bool { return strings.HasPrefix(ref, "run.") })
}

// inPart is the verdict of a step that did not succeed as a whole: those of its instances that did are kept, where
// nothing has changed for them.
func (r *decider) inPart(old, s *program.Step, why string) verdict {
	v := verdict{why: why, part: s.ForEach != nil && !r.gone[s.Name] && r.unchanged(old, s)}
	for _, need := range s.Needs {
		v.part = v.part && r.verdicts[need.Step].same
	}
	return v
}

// unchanged compares definitions as the program writes them, with those of the pipelines that are called, except for what
// can't change the outputs.
func (r *decider) unchanged(a, b *program.Step) bool {
	was, now := r.old.Reach([]*program.Step{a}), r.new.Reach([]*program.Step{b})
	if len(was) != len(now) {
		return false
	}
	for i := range was {
		x, y := essence(was[i]), essence(now[i])
		if x == nil || y == nil || !bytes.Equal(x, y) {
			return false
		}
	}
	return len(was) == 1 || bytes.Equal(outside(r.old, was), outside(r.new, now))
}

// outside is what the pipelines that steps call say beside their steps.
func outside(p *program.Program, steps []*program.Step) []byte {
	var out []program.Called
	for _, s := range steps {
		if s.Call == nil {
			continue
		}
		if c := p.CalledNamed(s.Call.Pipeline); c != nil {
			c := *c
			c.Steps, c.Finally = nil, nil
			out = append(out, c)
		}
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return data
}

func essence(s *program.Step) []byte {
	c := *s
	c.Doc, c.Labels, c.Annotations, c.Cache = "", nil, nil, nil
	c.Retry, c.Timeout, c.PendingTimeout, c.Grace = program.Retry{}, 0, 0, 0
	c.Resources, c.NodeSelector, c.ServiceAccount, c.ContinueOnFailure = nil, nil, "", false
	if c.Approval != nil { // who has approved is not asked again because there would be more time now
		approval := *c.Approval
		approval.Timeout = 0
		c.Approval = &approval
	}
	c.Variants = slices.Clone(c.Variants)
	for i := range c.Variants {
		v := &c.Variants[i]
		*v = program.Variant{Image: v.Image, SecretEnv: v.SecretEnv, Security: v.Security, PodPatch: v.PodPatch}
	}
	c.Pod, c.ImageDigest = nil, "" // the result of binding to a cluster; an image is as its reference says, as code is
	data, err := json.Marshal(&c)
	if err != nil {
		return nil
	}
	return data
}
