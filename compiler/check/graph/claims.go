package graph

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// mount is a claim that a pipeline mounts, and the step that mounts it. The step can belong to a pipeline that is called.
type mount struct {
	claim    model.Claim
	step     *model.Step
	pipeline *model.Pipeline
}

// claimUse is a step that mounts a claim itself, or calls a pipeline that does.
type claimUse struct {
	step     *model.Step
	claim    model.Claim
	below    *mount // of a call: the mount in the pipeline that is called
	position int    // of the step in topological order
}

// at returns where the source mounts the claim. For a call, that is the call.
func (u claimUse) at() hcl.Range {
	if u.below != nil {
		return u.step.Block.Attr("pipeline").Range()
	}
	return u.claim.At
}

// related adds to a diagnostic which step of a called pipeline mounts the claim.
func (u claimUse) related(d diag.Diagnostic) diag.Diagnostic {
	if u.below == nil {
		return d
	}
	return d.WithRelated(u.claim.At, "%s of pipeline %q, which is called by %s, mounts it here", attribute.Describe(u.below.step.Block), u.below.pipeline.Block.Label, attribute.Describe(u.step.Block))
}

// pair is two uses of a claim that are neighbours in topological order. Unless the second step waits for the first one, directly
// or not, both can run at the same time.
type pair struct{ first, second claimUse }

// Limits for the time that checking takes. Projects of usual size stay far below them; beyond them, some conflicts are not
// reported.
const (
	maxMounts = 1_000   // claims of one pipeline, with all that it calls
	maxPairs  = 100_000 // of one pipeline
)

// claims reports claims that only one pod or one node can mount at a time, and that steps mount which can run at the same time.
//
// The steps that mount a claim never run at the same time if each of them waits, directly or not, for the one before it in
// topological order. A claim of n steps therefore has n-1 pairs to check. Pairs are checked 64 at a time, one bit for each, in
// one pass over the graph. A call mounts the claims of the pipeline that it calls while it runs; the pipeline's own steps are
// checked with that pipeline.
func claims(p *model.Pipeline, all map[*model.Pipeline]map[string]*mount, diags *diag.List) {
	all[p] = mounts(p, all)
	if len(all[p]) == 0 {
		return
	}
	order := topological(p)
	if len(order) < len(p.Steps) {
		return // steps wait for each other in a ring, which cycles has reported
	}
	direct, calls := map[string][]claimUse{}, map[*model.Pipeline][]claimUse{}
	callees := map[string][]*model.Pipeline{} // that mount a claim
	for i, s := range order {
		for _, cl := range s.Claims {
			if list := direct[cl.Name]; len(list) > 0 && list[len(list)-1].step == s {
				continue // twice in one pod
			}
			direct[cl.Name] = append(direct[cl.Name], claimUse{step: s, claim: cl, position: i})
			instancesAtOnce(direct[cl.Name][len(direct[cl.Name])-1], diags)
		}
		if s.Callee != nil && len(all[s.Callee]) > 0 {
			calls[s.Callee] = append(calls[s.Callee], claimUse{step: s, position: i})
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
			slices.SortFunc(list, func(a, b claimUse) int { return a.position - b.position })
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

// mounts returns the first mount of each claim in a pipeline and in those that it calls.
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

// instancesAtOnce reports a claim that several instances of a step can mount at the same time.
func instancesAtOnce(u claimUse, diags *diag.List) {
	s := u.step
	if !oneAtATime(u.claim.Mode) || s.ForEach == nil || s.ForEach.MaxParallel == 1 || s.ForEach.Known && len(s.ForEach.Keys) < 2 || u.below == nil && u.claim.Instances == 1 {
		return
	}
	diags.Add(u.related(diag.New("claim-at-once", u.at(), "instances of %s can run at the same time, and all mount the claim %q, which is %s", attribute.Describe(s.Block), u.claim.Name, u.claim.Mode)).
		WithSuggestion("set max_parallel = 1 in the step, or access_mode = \"ReadWriteMany\" if the claim supports it"))
}

// neighbours returns the pairs of uses of a claim that have to be checked. It reports uses with different access modes.
func neighbours(name string, list []claimUse, diags *diag.List) []pair {
	var out []pair
	for i, u := range list {
		if u.claim.Mode != list[0].claim.Mode {
			diags.Add(u.related(diag.New("invalid-value", u.at(), "the claim %q has the access mode %s here and %s elsewhere", name, u.claim.Mode, list[0].claim.Mode)).
				WithRelated(list[0].claim.At, "the access mode is %s here", list[0].claim.Mode))
		} else if i > 0 && oneAtATime(u.claim.Mode) {
			out = append(out, pair{list[i-1], u})
		}
	}
	return out
}

// atOnce reports the pairs, at most 64, whose second step does not wait for the first one, directly or not.
func atOnce(p *model.Pipeline, order []*model.Step, pairs []pair, diags *diag.List) {
	behind := make(map[*model.Step]uint64, len(order)) // bit i: the step is the first one of pair i, or waits for it
	own := map[*model.Step]uint64{}
	for i, q := range pairs {
		own[q.first.step] |= 1 << i
	}
	for _, s := range order {
		bits := own[s]
		for _, n := range s.Needs {
			switch from := p.Step(n.Step); {
			case from == nil:
			case n.Instance != "": // other instances may still run, but what they have waited for has ended
				bits |= behind[from] &^ own[from]
			default:
				bits |= behind[from]
			}
		}
		behind[s] = bits
	}
	for i, q := range pairs {
		if behind[q.second.step]&(1<<i) != 0 || q.first.step.Finally != q.second.step.Finally { // finally runs after all other steps
			continue
		}
		a, b := q.first, q.second
		if a.below == nil && b.below != nil || (a.below == nil) == (b.below == nil) && diag.Before(b.at(), a.at()) {
			a, b = b, a // reported at a step that mounts the claim itself, if there is one
		}
		d := diag.New("claim-at-once", b.at(), "%s and %s can run at the same time, and both mount the claim %q, which is %s", attribute.Describe(a.step.Block), attribute.Describe(b.step.Block), b.claim.Name, b.claim.Mode)
		if a.below == nil {
			d = d.WithRelated(a.claim.At, "the claim is also mounted here")
		} else {
			d = a.related(d.WithRelated(a.at(), "the other call is here"))
		}
		if b.below != a.below {
			d = b.related(d)
		}
		diags.Add(d.
			WithSuggestion("make one step wait for the other with depends_on, or set access_mode = \"ReadWriteMany\" if the claim supports it"))
	}
}

// oneAtATime reports whether only one node or one pod can mount a claim at a time.
func oneAtATime(mode string) bool { return mode == "ReadWriteOnce" || mode == "ReadWriteOncePod" }
