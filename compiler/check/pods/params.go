package pods

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// maxChoices limits for how many combinations of the values of params the pods of a step are checked.
const maxChoices = 100

// choice is one combination of the values of the params that a pod reads.
type choice struct {
	values map[string]cty.Value
	params []json.RawMessage // by the sorted names
	text   string            // such as `param.size = "large"`
}

// params returns the first reference to each param that the step's pod reads, by name. It returns false if the values of one of
// them are not known when compiling, which it reports.
func (c instances) params() (map[string]hcl.Range, bool) {
	reads := map[string]hcl.Range{}
	readsParams(c.step.Block, reads)
	if len(reads) == 0 {
		return nil, true
	}
	ok := true
	for _, name := range evaluate.Names(reads) {
		at := reads[name]
		q := c.pipeline.Params[name]
		switch {
		case q == nil:
			d := diag.New("unknown-reference", at, "there is no param %q", name)
			c.diags.Add(c.project.Scope.Near(d, "param.", name, func() []string { return evaluate.Names(c.pipeline.Params) }))
		case c.step.Block.Attr("pipeline") != nil:
			q.Used = true
			c.diags.Add(diag.New("out-of-place", at, "param.%s can't be used here: the pods of a called pipeline can read only its own params", name).
				WithSuggestion("declare a param in the called pipeline, read it there, and pass param.%s as an input", name))
		case q.Type == cty.NilType:
		case types.HasArtifact(q.Type):
			q.Used = true
			c.diags.Add(diag.New("not-constant", at, "param.%s is an artifact, and no attribute of a pod reads one", name))
		case len(possible(q)) == 0:
			q.Used = true
			if q.Block.Attr("enum") == nil {
				c.diags.Add(diag.New("not-constant", at, "param.%s is known when a run starts, but all pods of a step are checked when compiling", name).
					WithRelated(q.Block.DefRange, "the param is declared here").
					WithSuggestion("add enum = [...] to param %q, so that all its values are known", name))
			}
		default:
			q.Used = true
			continue
		}
		ok = false
	}
	return reads, ok
}

// possible returns the values that a param can have, or nil if they are not known.
func possible(q *model.Param) []cty.Value {
	out := q.Enum
	if out == nil && q.Type == cty.Bool {
		out = []cty.Value{cty.False, cty.True}
	}
	if len(out) > 0 && q.Default != cty.NilVal && q.Default.IsNull() {
		out = append(slices.Clip(out), cty.NullVal(q.Type))
	}
	return out
}

// readsParams collects the params that what a block sets for a pod reads, each with the place of the first reference.
func readsParams(b *decode.Block, out map[string]hcl.Range) {
	for _, a := range b.Sorted() {
		if def := b.Def.Attribute(a.Name); def == nil || !def.Each {
			continue
		}
		for _, t := range a.Expr.Variables() {
			if t.RootName() != "param" || len(t) < 2 {
				continue
			}
			if name, ok := t[1].(hcl.TraverseAttr); ok {
				if _, twice := out[name.Name]; !twice {
					out[name.Name] = t.SourceRange()
				}
			}
		}
	}
	for _, n := range b.Blocks {
		readsParams(n, out)
	}
}

// choices returns all combinations of the values of params, or false if there are too many, which it reports.
func (c instances) choices(reads map[string]hcl.Range) ([]choice, bool) {
	out := []choice{{values: map[string]cty.Value{}}}
	for _, name := range evaluate.Names(reads) {
		values := possible(c.pipeline.Params[name])
		if len(out)*len(values) > maxChoices {
			c.diags.Add(diag.New("too-large", reads[name], "the params that the pods of %s read have more than %d combinations of values", attribute.Describe(c.step.Block), maxChoices).
				WithSuggestion("choose from a map by one param: { small = {...}, large = {...} }[param.size]"))
			return nil, false
		}
		var next []choice
		for _, before := range out {
			for _, v := range values {
				plain := types.Computed(v)
				data, err := types.ToJSON(plain)
				if err != nil {
					c.diags.Add(diag.New("evaluation", reads[name], "a value of param %q can't be encoded: %v", name, err))
					return nil, false
				}
				one := choice{values: maps.Clone(before.values), params: append(slices.Clone(before.params), data), text: before.text}
				one.values[name] = plain
				if one.text != "" {
					one.text += ", "
				}
				one.text += "param." + name + " = " + string(data)
				next = append(next, one)
			}
		}
		out = next
	}
	return out, true
}

// perChoice checks the pods for each combination of the values of params. It stops at the first invalid one.
func (c instances) perChoice(reads map[string]hcl.Range) {
	list, ok := c.choices(reads)
	if !ok {
		return
	}
	s := c.step
	all := variantSet{index: map[string]int{}, byKey: map[string]int{}}
	seen := map[model.Claim]bool{}
	var claims []model.Claim
	names := evaluate.Names(reads)
	for _, one := range list {
		before := c.diags.Len()
		s.Variants, s.Variant = nil, nil
		c.with(one)
		if c.diags.Len() > before {
			first := c.pipeline.Params[names[0]]
			c.diags.Relate(before, first.Block.DefRange, "this applies to "+one.text)
			return
		}
		for _, claim := range s.Claims {
			if !seen[claim] {
				seen[claim] = true
				claims = append(claims, claim)
			}
		}
		if !c.collect(&all, one, reads[names[0]]) {
			return
		}
	}
	s.Claims, s.Pod, s.Variants, s.Variant = claims, all.pods[0], nil, nil
	if len(all.pods) > maxVariants {
		c.diags.Add(diag.New("too-large", reads[names[0]], "%s has %d different pods for its instances and the values of params, and the limit is %d", attribute.Describe(s.Block), len(all.pods), maxVariants))
		return
	}
	if len(all.pods) > 1 {
		s.Variants, s.Variant, s.VariantParams = all.pods, all.byKey, names
	}
}

// with checks the pods of the step for one combination.
func (c instances) with(one choice) {
	defer c.project.Scope.With("param", one.values)()
	c.checkInstances()
}

// collect adds the pods that were just checked to those of all combinations.
func (c instances) collect(all *variantSet, one choice, at hcl.Range) bool {
	add := func(key string, pod model.Pod) bool {
		if err := all.add(program.VariantKey(key, one.params), pod); err != nil {
			c.diags.Add(diag.New("evaluation", at, "the pod of %s can't be encoded: %v", attribute.Describe(c.step.Block), err))
			return false
		}
		return true
	}
	if c.keys() == nil {
		return add("", c.step.Pod)
	}
	for _, key := range c.keys() {
		pod := c.step.Pod
		if i, ok := c.step.Variant[key]; ok {
			pod = c.step.Variants[i]
		}
		if !add(key, pod) {
			return false
		}
	}
	return true
}

// keys returns the keys of the instances whose pods read each; nil: all instances have the same pods.
func (c instances) keys() []string {
	if _, reads := readsEach(c.step.Block); !reads || c.step.ForEach == nil || !c.step.ForEach.Known {
		return nil
	}
	return c.step.ForEach.Keys
}
