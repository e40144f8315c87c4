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
}

type claimUse struct {
	step  *Step
	claim claim
	place int // of the step, in an order in which each stands behind what it waits for
}

// pair are two uses of a claim that stand one behind the other in that order: unless the first step comes before the second
// by what it waits for, the two can run at once.
type pair struct{ first, second claimUse }

// claims tells claims for one pod, or one node, at a time that steps mount which can run at once. Steps of one claim never
// run at once where each waits, through others too, for the one before it in a topological order: so a claim of n steps
// has n-1 pairs to look at. Pairs are looked at 64 at a time, a bit each, in one pass over the graph.
func (c *checker) claims(p *Pipeline) {
	used := slices.ContainsFunc(p.Steps, func(s *Step) bool { return len(s.claims) > 0 })
	if !used {
		return
	}
	order := topological(p)
	if len(order) < len(p.Steps) {
		return // steps wait for each other in a ring, which has been told
	}
	uses := map[string][]claimUse{}
	for i, s := range order {
		for _, cl := range s.claims {
			if list := uses[cl.name]; len(list) > 0 && list[len(list)-1].step == s {
				continue // twice in one pod
			}
			uses[cl.name] = append(uses[cl.name], claimUse{s, cl, i})
			if oneAtATime(cl.mode) && s.ForEach != nil && s.Program.ForEach != nil && s.Program.ForEach.MaxParallel != 1 {
				c.diags.Add(diag.New("claim-at-once", cl.at, "instances of %s can run at once, and all mount the claim %q, which is %s", describe(s.Block), cl.name, cl.mode).
					WithSuggestion("write max_parallel = 1 in the step; or, if the claim allows it, access_mode = \"ReadWriteMany\""))
			}
		}
	}
	var pairs []pair
	for _, name := range evaluate.Names(uses) {
		list := uses[name]
		for i, u := range list {
			if u.claim.mode != list[0].claim.mode {
				c.diags.Add(diag.New("invalid-value", u.claim.at, "the claim %q is %s here, and %s elsewhere", name, u.claim.mode, list[0].claim.mode).
					WithRelated(list[0].claim.at, "it is %s here", list[0].claim.mode))
			} else if i > 0 && oneAtATime(u.claim.mode) {
				pairs = append(pairs, pair{list[i-1], u})
			}
		}
	}
	for batch := range slices.Chunk(pairs, 64) {
		c.atOnce(p, order, batch)
	}
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
		if before(b.claim.at, a.claim.at) {
			a, b = b, a
		}
		c.diags.Add(diag.New("claim-at-once", b.claim.at, "%s and %s can run at once, and both mount the claim %q, which is %s", describe(a.step.Block), describe(b.step.Block), b.claim.name, b.claim.mode).
			WithRelated(a.claim.at, "it is mounted here too").
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
