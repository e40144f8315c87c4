package check

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// claim is a PersistentVolumeClaim that a step mounts.
type claim struct {
	name, mode string
	at         hcl.Range
	instances  int // of the step that mount it; 0: all
}

// mount is a claim that a pipeline mounts somewhere below: which step does, and of which pipeline.
type mount struct {
	claim    claim
	step     *Step
	pipeline *Pipeline
}

// claimUse is a step that mounts a claim: itself, or by a step of what it calls.
type claimUse struct {
	step  *Step
	claim claim
	below *mount // of a call
	place int    // of the step, in an order in which each stands behind what it waits for
}

// at is where the step says that it mounts the claim: a call does by calling.
func (u claimUse) at() hcl.Range {
	if u.below != nil {
		return u.step.Block.Attr("pipeline").Range()
	}
	return u.claim.at
}

// related adds to a diagnostic which step below mounts the claim.
func (u claimUse) related(d diag.Diagnostic) diag.Diagnostic {
	if u.below == nil {
		return d
	}
	return d.WithRelated(u.claim.at, "%s of pipeline %q, which %s calls, mounts it here", describe(u.below.step.Block), u.below.pipeline.Block.Label, describe(u.step.Block))
}

// pair are two uses of a claim that stand one behind the other in that order: unless the first step comes before the second
// by what it waits for, the two can run at once.
type pair struct{ first, second claimUse }

// What is looked at of a project that is out of all proportion: no person writes as much, and a cluster tells the rest.
const (
	maxMounts = 1_000   // claims of one pipeline, with all that it calls
	maxPairs  = 100_000 // of one pipeline
)

// claims tells claims for one pod, or one node, at a time that steps mount which can run at once. Steps of one claim never
// run at once where each waits, through others too, for the one before it in a topological order: so a claim of n steps
// has n-1 pairs to look at. Pairs are looked at 64 at a time, a bit each, in one pass over the graph. A call mounts what
// the steps of its pipeline mount, for as long as it runs; those among each other are looked at where they stand.
func (c *checker) claims(p *Pipeline) {
	p.mounts = mounts(p)
	if len(p.mounts) == 0 {
		return
	}
	order := topological(p)
	if len(order) < len(p.Steps) {
		return // steps wait for each other in a ring, which has been told
	}
	direct, calls := map[string][]claimUse{}, map[*Pipeline][]claimUse{}
	callees := map[string][]*Pipeline{} // that mount a claim
	for i, s := range order {
		for _, cl := range s.claims {
			if list := direct[cl.name]; len(list) > 0 && list[len(list)-1].step == s {
				continue // twice in one pod
			}
			direct[cl.name] = append(direct[cl.name], claimUse{step: s, claim: cl, place: i})
			c.instancesAtOnce(direct[cl.name][len(direct[cl.name])-1])
		}
		if s.Callee != nil && len(s.Callee.mounts) > 0 {
			calls[s.Callee] = append(calls[s.Callee], claimUse{step: s, place: i})
		}
	}
	for _, q := range p.Calls {
		for _, name := range evaluate.Names(q.mounts) {
			callees[name] = append(callees[name], q)
		}
	}
	for name := range direct {
		if callees[name] == nil {
			callees[name] = []*Pipeline{}
		}
	}
	var pairs []pair
	for _, name := range evaluate.Names(callees) {
		list := direct[name]
		for _, q := range callees[name] {
			for _, u := range calls[q] {
				u.below = q.mounts[name]
				u.claim = u.below.claim
				list = append(list, u)
				c.instancesAtOnce(u)
			}
		}
		if len(callees[name]) > 0 {
			slices.SortFunc(list, func(a, b claimUse) int { return a.place - b.place })
		}
		if pairs = append(pairs, c.pairs(name, list)...); len(pairs) > maxPairs {
			pairs = pairs[:maxPairs]
			break
		}
	}
	for batch := range slices.Chunk(pairs, 64) {
		c.atOnce(p, order, batch)
	}
}

// mounts are the claims that a pipeline mounts, with all that it calls; of each, the first.
func mounts(p *Pipeline) map[string]*mount {
	var out map[string]*mount
	add := func(m *mount) {
		if out == nil {
			out = map[string]*mount{}
		}
		if _, there := out[m.claim.name]; !there && len(out) < maxMounts {
			out[m.claim.name] = m
		}
	}
	for _, s := range p.Steps {
		for _, cl := range s.claims {
			add(&mount{cl, s, p})
		}
	}
	for _, q := range p.Calls {
		for _, name := range evaluate.Names(q.mounts) {
			add(q.mounts[name])
		}
	}
	return out
}

// instancesAtOnce tells a claim that several instances of a step can mount at once.
func (c *checker) instancesAtOnce(u claimUse) {
	s := u.step
	if !oneAtATime(u.claim.mode) || s.ForEach == nil || s.Program.ForEach == nil || s.Program.ForEach.MaxParallel == 1 || s.ForEach.Known && len(s.ForEach.Keys) < 2 || u.below == nil && u.claim.instances == 1 {
		return
	}
	c.diags.Add(u.related(diag.New("claim-at-once", u.at(), "instances of %s can run at once, and all mount the claim %q, which is %s", describe(s.Block), u.claim.name, u.claim.mode)).
		WithSuggestion("write max_parallel = 1 in the step; or, if the claim allows it, access_mode = \"ReadWriteMany\""))
}

// pairs are those of the uses of a claim, each with the one before. One that says of the claim what others don't is told.
func (c *checker) pairs(name string, list []claimUse) []pair {
	var out []pair
	for i, u := range list {
		if u.claim.mode != list[0].claim.mode {
			c.diags.Add(u.related(diag.New("invalid-value", u.at(), "the claim %q is %s here, and %s elsewhere", name, u.claim.mode, list[0].claim.mode)).
				WithRelated(list[0].claim.at, "it is %s here", list[0].claim.mode))
		} else if i > 0 && oneAtATime(u.claim.mode) {
			out = append(out, pair{list[i-1], u})
		}
	}
	return out
}

// atOnce tells those of at most 64 pairs whose second step doesn't come behind the first.
func (c *checker) atOnce(p *Pipeline, order []*Step, pairs []pair) {
	behind := make(map[*Step]uint64, len(order)) // bit i: the step is the first of pair i, or comes behind it
	own := map[*Step]uint64{}
	for i, q := range pairs {
		own[q.first.step] |= 1 << i
	}
	for _, s := range order {
		bits := own[s]
		for _, n := range s.Needs {
			switch from := p.byName[n.Step]; {
			case from == nil:
			case n.Instance != "": // others of its instances may still run; what it waited for is over
				bits |= behind[from] &^ own[from]
			default:
				bits |= behind[from]
			}
		}
		behind[s] = bits
	}
	for i, q := range pairs {
		if behind[q.second.step]&(1<<i) != 0 || q.first.step.Finally != q.second.step.Finally { // finally comes behind all else
			continue
		}
		a, b := q.first, q.second
		if a.below == nil && b.below != nil || (a.below == nil) == (b.below == nil) && diag.Before(b.at(), a.at()) {
			a, b = b, a // told where one mounts it itself
		}
		d := diag.New("claim-at-once", b.at(), "%s and %s can run at once, and both mount the claim %q, which is %s", describe(a.step.Block), describe(b.step.Block), b.claim.name, b.claim.mode)
		if a.below == nil {
			d = d.WithRelated(a.claim.at, "it is mounted here too")
		} else {
			d = a.related(d.WithRelated(a.at(), "the other call is here"))
		}
		if b.below != a.below {
			d = b.related(d)
		}
		c.diags.Add(d.
			WithSuggestion("let one wait for the other with depends_on; or, if the claim allows it, write access_mode = \"ReadWriteMany\""))
	}
}

// oneAtATime says whether a claim is for one node or one pod at a time.
func oneAtATime(mode string) bool { return mode == "ReadWriteOnce" || mode == "ReadWriteOncePod" }

// waitsFor is the steps whose end a step waits for.
func waitsFor(p *Pipeline, s *Step) []*Step {
	out := make([]*Step, 0, len(s.Needs))
	for _, n := range s.Needs {
		if from := p.byName[n.Step]; from != nil {
			out = append(out, from)
		}
	}
	return out
}

// topological is the steps, each behind all that it waits for, those of finally last. The graph has no rings.
func topological(p *Pipeline) []*Step {
	waits, next := map[*Step]int{}, map[*Step][]*Step{}
	for _, s := range p.Steps {
		for _, from := range waitsFor(p, s) {
			waits[s]++
			next[from] = append(next[from], s)
		}
	}
	var out, last []*Step
	ready := func(s *Step) {
		if s.Finally {
			last = append(last, s)
		} else {
			out = append(out, s)
		}
	}
	for _, s := range p.Steps {
		if waits[s] == 0 {
			ready(s)
		}
	}
	release := func(s *Step) {
		for _, n := range next[s] {
			if waits[n]--; waits[n] == 0 {
				ready(n)
			}
		}
	}
	for i := 0; i < len(out); i++ {
		release(out[i])
	}
	for i := 0; i < len(last); i++ {
		release(last[i])
	}
	return append(out, last...)
}
