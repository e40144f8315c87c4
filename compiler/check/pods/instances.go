package pods

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// maxVariants limits how many different pods the instances of a step have, because a program contains each of them.
const maxVariants = 1000

// instances checks the pods of the instances of a step. All instances have the same pod, unless what is set for it reads each
// of a for_each that is known when compiling, or params whose values are.
type instances struct {
	reader
	pipeline *model.Pipeline
	step     *model.Step
}

func (c instances) check() {
	switch params, ok := c.params(); {
	case !ok:
	case len(params) > 0:
		c.perChoice(params)
	default:
		c.checkInstances()
	}
}

// checkInstances checks the pods of all instances.
func (c instances) checkInstances() {
	f := c.step.ForEach
	if f == nil {
		c.one(nil)
		return
	}
	at, reads := readsEach(c.step.Block)
	switch {
	case !reads:
		c.one(nil)
	case f.Value == nil: // invalid, and reported before
	case c.step.Block.Attr("pipeline") != nil:
		c.one(attribute.SameForAll(c.step.Block))
	case !f.Known:
		c.one(&evaluate.Each{Why: c.notKnown})
	case len(f.Keys) == 0:
		c.mention(c.step.Block)
	default:
		c.perInstance(at)
	}
}

// one checks the one pod of the step. The argument determines what a reference to each means in it; nil keeps the meaning.
func (c instances) one(each *evaluate.Each) {
	if each != nil {
		defer c.project.Scope.For(each)()
	}
	c.step.Pod, c.step.Claims = c.pod()
}

func (c instances) pod() (model.Pod, []model.Claim) {
	one := podCheck{reader: c.reader, pipeline: c.pipeline, step: c.step}
	one.check()
	return one.pod, one.claims
}

// notKnown reports each in what is set for a pod if for_each is known only at run time.
func (c instances) notKnown(at hcl.Range, text string) diag.Diagnostic {
	return diag.New("not-constant", at, "%s is known only at run time here, and pods are created when compiling", text).
		WithRelated(c.step.Block.Attr("for_each").Range(), "for_each is known only at run time").
		WithSuggestion("use only var, local and functions in for_each, or read %s in an input, in command or in env", text)
}

// perInstance checks the pod of each instance. It stops at the first invalid one, because the others have the same fault.
func (c instances) perInstance(at hcl.Range) {
	s := c.step
	variants := variantSet{index: map[string]int{}, byKey: map[string]int{}}
	mounts := claimCount{instances: map[string]int{}, seen: map[model.Claim]bool{}}
	elements, part := types.Unmark(s.ForEach.Value.Written)
	for it := elements.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if elements.Type().IsSetType() {
			key = value
		}
		before := c.diags.Len()
		pod, claims := c.instance(key, part(value))
		if c.diags.Len() > before {
			s.Pod, s.Claims = pod, claims
			return
		}
		mounts.add(claims)
		if err := variants.add(expr.Key(key), pod); err != nil {
			c.diags.Add(diag.New("evaluation", at, "the pod of %s can't be encoded: %v", attribute.Describe(s.Block), err))
			return
		}
	}
	s.Pod, s.Claims = variants.pods[0], mounts.claims()
	if len(variants.pods) > maxVariants {
		c.diags.Add(diag.New("too-large", at, "the instances of %s have %d different pods, and the limit is %d", attribute.Describe(s.Block), len(variants.pods), maxVariants).
			WithSuggestion("read each in inputs, command or env where possible: these are not part of the pod"))
		return
	}
	if len(variants.pods) > 1 {
		s.Variants, s.Variant = variants.pods, variants.byKey
	}
}

// instance checks the pod of one instance.
func (c instances) instance(key, value cty.Value) (model.Pod, []model.Claim) {
	defer c.project.Scope.For(&evaluate.Each{Key: key, Value: value})()
	return c.pod()
}

// variantSet collects the different pods of the instances of a step.
type variantSet struct {
	pods  []model.Pod
	index map[string]int // in pods, by the pod's JSON
	byKey map[string]int // in pods, by the key of the instance
}

func (v *variantSet) add(key string, pod model.Pod) error {
	text, err := json.Marshal(&pod)
	if err != nil {
		return err
	}
	i, there := v.index[string(text)]
	if !there {
		i = len(v.pods)
		v.index[string(text)] = i
		v.pods = append(v.pods, pod)
	}
	v.byKey[key] = i
	return nil
}

// claimCount counts how many instances mount each claim.
type claimCount struct {
	instances map[string]int // by the name of the claim
	seen      map[model.Claim]bool
	order     []model.Claim // each once
}

// add adds the claims of one instance.
func (c *claimCount) add(claims []model.Claim) {
	own := map[string]bool{}
	for _, cl := range claims {
		if !own[cl.Name] {
			own[cl.Name] = true
			c.instances[cl.Name]++
		}
		if !c.seen[cl] {
			c.seen[cl] = true
			c.order = append(c.order, cl)
		}
	}
}

func (c *claimCount) claims() []model.Claim {
	for i := range c.order {
		c.order[i].Instances = c.instances[c.order[i].Name]
	}
	return c.order
}

// mention marks the variables and locals as used that are read for the pod of a step without instances, which has none.
func (c instances) mention(b *decode.Block) {
	for _, a := range b.Sorted() {
		if def := b.Def.Attribute(a.Name); def == nil || !def.Each {
			continue
		}
		if c.project.Values.Mention(a.Expr); a.Name == "image" {
			if t, hclDiags := hcl.AbsTraversalForExpr(a.Expr); !hclDiags.HasErrors() && t.RootName() == "image" {
				c.image(b)
			}
		}
	}
	for _, n := range b.Blocks {
		c.mention(n)
	}
}

// readsEach reports whether what a block sets for a pod reads each, and where.
func readsEach(b *decode.Block) (hcl.Range, bool) {
	for _, a := range b.Sorted() {
		if def := b.Def.Attribute(a.Name); def == nil || !def.Each {
			continue
		}
		for _, t := range a.Expr.Variables() {
			if t.RootName() == "each" {
				return t.SourceRange(), true
			}
		}
	}
	for _, n := range b.Blocks {
		if at, reads := readsEach(n); reads {
			return at, true
		}
	}
	return hcl.Range{}, false
}
