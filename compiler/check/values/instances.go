package values

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// each resolves each.key and each.value.
func (r *resolver) each(t hcl.Traversal, soft bool) (cty.Type, int) {
	switch {
	case r.step == nil || r.step.ForEach == nil:
		if r.step == nil || !r.step.Block.Tried("for_each") {
			r.fault("for-expression", t.SourceRange(), "each can only be used in a step with for_each")
		}
		return cty.NilType, 0
	case r.forEach:
		r.fault("for-expression", t.SourceRange(), "for_each can't read each")
		return cty.NilType, 0
	}
	name, ok := r.name(t, "each")
	if !ok {
		return cty.NilType, 0
	}
	f := r.evaluator.ForEach(r.step)
	typ := f.Key
	switch name {
	case "key":
	case "value":
		typ = f.Elem
	default:
		return r.unknown(t, "part of each", "each.", name, func() []string { return []string{"key", "value"} })
	}
	if typ == cty.NilType {
		return typ, 0
	}
	r.use(model.Use{Ref: "each." + name}, t[:2], soft)
	return typ, 2
}

// Instances implements infer.Scope. It resolves step.x[*].y, step.x["k"].y, step.x[0].y and step.x[each.key].y.
func (r *resolver) Instances(t hcl.Traversal, soft bool) (cty.Type, int, bool) {
	if len(t) < 3 {
		return cty.NilType, 0, false
	}
	_, all := t[2].(hcl.TraverseSplat)
	index, one := t[2].(hcl.TraverseIndex)
	if !all && !one {
		return cty.NilType, 0, false
	}
	name, ok := r.name(t, "step")
	if !ok {
		return cty.NilType, 0, true
	}
	target := r.evaluator.pipeline.Step(name)
	switch {
	case target == nil:
		typ, taken := r.unknown(t, "step", "step.", name, r.evaluator.pipeline.StepNames)
		return typ, taken, true
	case target.Finally && (r.step == nil || !r.step.Finally):
		r.fault("out-of-place", t.SourceRange(), "step.%s is in finally, which runs after all steps have ended", name)
		return cty.NilType, 0, true
	case target.ForEach == nil && target.Block.Tried("for_each"):
		return cty.NilType, 0, true
	case target.ForEach == nil && all:
		r.report(diag.New("for-expression", t.SourceRange(), "[*] selects all instances of a step with for_each, and step.%s has no for_each", name).
			WithRelated(target.Block.LabelRange, "the step is declared here"))
		return cty.NilType, 0, true
	case target.ForEach == nil:
		r.fault("for-expression", t.SourceRange(), "step.%s has no for_each, so it has no instances to select", name)
		return cty.NilType, 0, true
	}
	instance := expr.All
	if one {
		if instance, ok = r.instance(t, target, index); !ok {
			return cty.NilType, 0, true
		}
	}
	ref := expr.Ref{Step: name, Instance: instance}
	if len(t) < 4 {
		r.use(model.Use{Ref: ref.String(), Step: name, Instance: instance}, t[:3], soft)
		return r.object(target), 3, true
	}
	attr, ok := t[3].(hcl.TraverseAttr)
	if !ok {
		r.use(model.Use{Ref: ref.String(), Step: name, Instance: instance}, t[:3], soft)
		return r.object(target), 3, true
	}
	ref.Attr = attr.Name
	if typ, ok := statusTypes[attr.Name]; ok {
		r.use(model.Use{Ref: ref.String(), Step: name, Instance: instance, Status: true}, t[:4], soft)
		return typ, 4, true
	}
	out := target.Output(attr.Name)
	if out == nil {
		r.unknownOutput(append(t[:2:2], attr), target, attr)
		return cty.NilType, 0, true
	}
	r.use(model.Use{Ref: ref.String(), Step: name, Instance: instance, Output: attr.Name}, t[:4], soft)
	return out.Type, 4, true
}

// instance returns the key in an index as it is written in a reference.
func (r *resolver) instance(t hcl.Traversal, target *model.Step, index hcl.TraverseIndex) (string, bool) {
	f := r.evaluator.ForEach(target)
	key := index.Key
	kt := key.Type()
	if f.Key != cty.NilType && f.Key != cty.DynamicPseudoType && kt != cty.DynamicPseudoType && kt != f.Key {
		d := diag.New("type-mismatch", index.SrcRange, "the keys of the instances of step.%s are of another type: expected %s, found %s", target.Name(), types.Phrase(f.Key), types.Phrase(kt))
		if f.Key == cty.Number && kt == cty.String {
			d = d.WithDetail("The for_each of step.%s is a list, whose keys are numbers. A set, made with toset(…), has its elements as keys.", target.Name())
		}
		r.report(d)
		return "", false
	}
	if !key.IsKnown() {
		own := r.step.ForEach
		if f.Known && own.Known && r.evaluator.forEach[r.step] == visited {
			for _, k := range own.Keys {
				if !slices.Contains(f.Keys, k) {
					r.noInstance(index.SrcRange, target, f, k)
					return "", false
				}
			}
		}
		return expr.EachKey, true
	}
	text := expr.Key(key)
	if f.Known && !slices.Contains(f.Keys, text) {
		r.noInstance(index.SrcRange, target, f, text)
		return "", false
	}
	if kt == cty.String {
		return string(record.StringKey(text)), true
	}
	return text, true
}

func (r *resolver) noInstance(at hcl.Range, target *model.Step, f *model.ForEach, key string) {
	d := diag.New("unknown-reference", at, "step.%s has no instance %q", target.Name(), key).
		WithRelated(target.Block.Attr("for_each").Range(), "its instances are declared here")
	if d = d.DidYouMean(key, f.Keys); d.Suggestion == "" {
		d = d.WithDetail("%s", evaluate.Listed("Its instances", f.Keys))
	}
	r.report(d)
}

// object returns the type of all outputs of one instance.
func (r *resolver) object(target *model.Step) cty.Type {
	attrs := map[string]cty.Type{}
	var optional []string
	for _, name := range target.OutputNames() {
		out := target.Output(name)
		if out.Optional && (out.Default == cty.NilVal || out.Default.IsNull()) {
			optional = append(optional, name)
		}
		if out.Type == cty.NilType {
			return cty.DynamicPseudoType
		}
		attrs[name] = out.Type
	}
	return cty.ObjectWithOptionalAttrs(attrs, optional)
}

// allInstances resolves step.x of a step with for_each: a list, or a map by key, of the outputs of its instances.
func (r *resolver) allInstances(t hcl.Traversal, target *model.Step, soft bool) (cty.Type, int) {
	f := r.evaluator.ForEach(target)
	r.use(model.Use{Ref: "step." + target.Name(), Step: target.Name()}, t[:2], soft)
	switch f.Key {
	case cty.Number:
		return cty.List(r.object(target)), 2
	case cty.String:
		return cty.Map(r.object(target)), 2
	}
	return cty.DynamicPseudoType, 2
}

// noIndex reports a reference to an output of a step with for_each that selects no instance.
func (r *resolver) noIndex(t hcl.Traversal, target *model.Step, attr hcl.TraverseAttr) {
	r.report(diag.New("for-expression", hcl.RangeBetween(t[0].SourceRange(), t[2].SourceRange()), "step.%s has for_each, so each instance has its own output %q", target.Name(), attr.Name).
		WithRelated(target.Block.LabelRange, "the step is declared here").
		WithSuggestion("write step.%s[*].%s for all of them, or step.%s[KEY].%s for one", target.Name(), attr.Name, target.Name(), attr.Name))
}
