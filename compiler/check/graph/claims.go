package graph

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// mount is a claim that a pipeline mounts somewhere below: which step does, and of which pipeline.
type mount struct {
	claim    model.Claim
	step     *model.Step
	pipeline *model.Pipeline
}

// claimUse is a step that mounts a claim: itself, or by a step of what it calls.
type claimUse struct {
	step  *model.Step
	claim model.Claim
	below *mount // of a call
	place int    // of the step, in an order in which each stands behind what it waits for
}

// at is where the step says that it mounts the claim: a call does by calling.
func (u claimUse) at() hcl.Range {
	if u.below != nil {
		return u.step.Block.Attr("pipeline").Range()
	}
	return u.claim.At
}

// related adds to a diagnostic which step below mounts the claim.
func (u claimUse) related(d diag.Diagnostic) diag.Diagnostic {
	if u.below == nil {
		return d
	}
	return d.WithRelated(u.claim.At, "%s of pipeline %q, which %s calls, mounts it here", attribute.Describe(u.below.step.Block), u.below.pipeline.Block.Label, attribute.Describe(u.step.Block))
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
func claims(p *model.Pipeline, all map[*model.Pipeline]map[string]*mount, diags *diag.List) {
	all[p] = mounts(p, all)
	if len(all[p]) == 0 {
		return
	}
	order := topological(p)
	if len(order) < len(p.Steps) {
		return // steps wait for each other in a ring, which has been told
	}
	direct, calls := map[string][]claimUse{}, map[*model.Pipeline][]claimUse{}
	callees := map[string][]*model.Pipeline{} // that mount a claim
	for i, s := range order {
		for _, cl := range s.Claims {
			if list := direct[cl.Name]; len(list) > 0 && list[len(list)-1].step == s {
				continue // twice in one pod
			}
			direct[cl.Name] = append(direct[cl.Name], claimUse{step: s, claim: cl, place: i})
			instancesAtOnce(direct[cl.Name][len(direct[cl.Name])-1], diags)
		}
		if s.Callee != nil && len(all[s.Callee]) > 0 {
			calls[s.Callee] = append(calls[s.Callee], claimUse{step: s, place: i})
		}
	}
	for _, q := range p.Calls {
		for _, name := range evaluate.Names(all[q]) {
			callees[name] = append(callees[name], q)
		}
	}
	for name := range direct {
		if callees[name] == nil {
			callees[name] = []*model.Pipeline{}
		}
	}
	var pairs []pair
	for _, name := range evaluate.Names(callees) {
		list := direct[name]
		for _, q := range callees[name] {
			for _, u := range calls[q] {
				u.below = all[q][name]
				u.claim = u.below.claim
				list = append(list, u)
				instancesAtOnce(u, diags)
			}
		}
		if len(callees[name]) > 0 {
			slices.SortFunc(list, func(a, b claimUse) int { return a.place - b.place })
		}
		if pairs = append(pairs, neighbours(name, list, diags)...); len(pairs) > maxPairs {
			pairs = pairs[:maxPairs]
			break
		}
	}
	for batch := range slices.Chunk(pairs, 64) {
		atOnce(p, order, batch, diags)
	}
}

// mounts are the claims that a pipeline mounts, with all that it calls; of each, the first.
func mounts(p *model.Pipeline, all map[*model.Pipeline]map[string]*mount) map[string]*mount {
	var out map[string]*mount
	add := func(m *mount) {
		if out == nil {
			out = map[string]*mount{}
		}
		if _, there := out[m.claim.Name]; !there && len(out) < maxMounts {
			out[m.claim.Name] = m
		}
	}
	for _, s := range p.Steps {
		for _, cl := range s.Claims {
			add(&mount{cl, s, p})
		}
	}
	for _, q := range p.Calls {
		for _, name := range evaluate.Names(all[q]) {
			add(all[q][name])
		}
	}
	return out
}

// instancesAtOnce tells a claim that several instances of a step can mount at once.
func instancesAtOnce(u claimUse, diags *diag.List) {
	s := u.step
	if !oneAtATime(u.claim.Mode) || s.ForEach == nil || s.ForEach.MaxParallel == 1 || s.ForEach.Known && len(s.ForEach.Keys) < 2 || u.below == nil && u.claim.Instances == 1 {
		return
	}
	diags.Add(u.related(diag.New("claim-at-once", u.at(), "instances of %s can run at once, and all mount the claim %q, which is %s", attribute.Describe(s.Block), u.claim.Name, u.claim.Mode)).
		WithSuggestion("write max_parallel = 1 in the step; or, if the claim allows it, access_mode = \"ReadWriteMany\""))
}

// pairs are those of the uses of a claim, each with the one before. One that says of the claim what others don't is told.
func neighbours(name string, list []claimUse, diags *diag.List) []pair {
	var out []pair
	for i, u := range list {
		if u.claim.Mode != list[0].claim.Mode {
			diags.Add(u.related(diag.New("invalid-value", u.at(), "the claim %q is %s here, and %s elsewhere", name, u.claim.Mode, list[0].claim.Mode)).
				WithRelated(list[0].claim.At, "it is %s here", list[0].claim.Mode))
		} else if i > 0 && oneAtATime(u.claim.Mode) {
			out = append(out, pair{list[i-1], u})
		}
	}
	return out
}

// atOnce tells those of at most 64 pairs whose second step doesn't come behind the first.
func atOnce(p *model.Pipeline, order []*model.Step, pairs []pair, diags *diag.List) {
	behind := make(map[*model.Step]uint64, len(order)) // bit i: the step is the first of pair i, or comes behind it
	own := map[*model.Step]uint64{}
	for i, q := range pairs {
		own[q.first.step] |= 1 << i
	}
	for _, s := range order {
		bits := own[s]
		for _, n := range s.Needs {
			switch from := p.Step(n.Step); {
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
		d := diag.New("claim-at-once", b.at(), "%s and %s can run at once, and both mount the claim %q, which is %s", attribute.Describe(a.step.Block), attribute.Describe(b.step.Block), b.claim.Name, b.claim.Mode)
		if a.below == nil {
			d = d.WithRelated(a.claim.At, "it is mounted here too")
		} else {
			d = a.related(d.WithRelated(a.at(), "the other call is here"))
		}
		if b.below != a.below {
			d = b.related(d)
		}
		diags.Add(d.
			WithSuggestion("let one wait for the other with depends_on; or, if the claim allows it, write access_mode = \"ReadWriteMany\""))
	}
}

// oneAtATime says whether a claim is for one node or one pod at a time.
func oneAtATime(mode string) bool { return mode == "ReadWriteOnce" || mode == "ReadWriteOncePod" }
