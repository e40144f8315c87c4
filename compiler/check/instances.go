package check

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// each resolves each.key and each.value.
func (s *scope) each(t hcl.Traversal, soft bool) (cty.Type, int) {
	switch {
	case s.step == nil || s.step.ForEach == nil:
		if s.step == nil || !s.step.Block.Tried("for_each") {
			s.fault("for-expression", t.SourceRange(), "each stands in a step with for_each")
		}
		return cty.NilType, 0
	case s.whole:
		s.fault("for-expression", t.SourceRange(), "for_each makes each, and can't read it")
		return cty.NilType, 0
	}
	name, ok := s.name(t, "each")
	if !ok {
		return cty.NilType, 0
	}
	f := s.c.forEach(s.p, s.step)
	typ := f.Key
	switch name {
	case "key":
	case "value":
		typ = f.Elem
	default:
		return s.unknown(t, "part of each", "each.", name, func() []string { return []string{"key", "value"} })
	}
	if typ == cty.NilType {
		return typ, 0
	}
	s.use(Use{Ref: "each." + name}, t[:2], soft)
	return typ, 2
}

// Instances resolves step.x[*].y, step.x["k"].y, step.x[0].y and step.x[each.key].y.
func (s *scope) Instances(t hcl.Traversal, soft bool) (cty.Type, int, bool) {
	if len(t) < 3 {
		return cty.NilType, 0, false
	}
	_, all := t[2].(hcl.TraverseSplat)
	index, one := t[2].(hcl.TraverseIndex)
	if !all && !one {
		return cty.NilType, 0, false
	}
	name, ok := s.name(t, "step")
	if !ok {
		return cty.NilType, 0, true
	}
	target, ok := s.p.byName[name]
	switch {
	case !ok:
		typ, taken := s.unknown(t, "step", "step.", name, among(s.p.byName))
		return typ, taken, true
	case target.Finally && (s.step == nil || !s.step.Finally):
		s.fault("out-of-place", t.SourceRange(), "step.%s is in finally, which runs after all steps have ended", name)
		return cty.NilType, 0, true
	case target.ForEach == nil && target.Block.Tried("for_each"):
		return cty.NilType, 0, true
	case target.ForEach == nil && all:
		s.c.diags.Add(diag.New("for-expression", t.SourceRange(), "[*] collects the instances of a step with for_each, and step.%s has none", name).
			WithRelated(target.Block.LabelRange, "the step is declared here"))
		return cty.NilType, 0, true
	case target.ForEach == nil:
		s.fault("for-expression", t.SourceRange(), "step.%s has no for_each, and so no instances to pick one of", name)
		return cty.NilType, 0, true
	}
	instance := expr.All
	if one {
		if instance, ok = s.instance(t, target, index); !ok {
			return cty.NilType, 0, true
		}
	}
	ref := expr.Ref{Step: name, Instance: instance}
	if len(t) < 4 {
		s.use(Use{Ref: ref.String(), Step: name, Instance: instance}, t[:3], soft)
		return s.object(target), 3, true
	}
	attr, ok := t[3].(hcl.TraverseAttr)
	if !ok {
		s.use(Use{Ref: ref.String(), Step: name, Instance: instance}, t[:3], soft)
		return s.object(target), 3, true
	}
	ref.Attr = attr.Name
	if typ, ok := statusTypes[attr.Name]; ok {
		s.use(Use{Ref: ref.String(), Step: name, Instance: instance, Status: true}, t[:4], soft)
		return typ, 4, true
	}
	out, ok := target.outputs[attr.Name]
	if !ok {
		s.unknownOutput(append(t[:2:2], attr), target, attr)
		return cty.NilType, 0, true
	}
	s.use(Use{Ref: ref.String(), Step: name, Instance: instance, Output: attr.Name}, t[:4], soft)
	return out.Type, 4, true
}

// instance is the key in an index, as a reference writes it.
func (s *scope) instance(t hcl.Traversal, target *Step, index hcl.TraverseIndex) (string, bool) {
	f := s.c.forEach(s.p, target)
	key := index.Key
	kt := key.Type()
	if f.Key != cty.NilType && f.Key != cty.DynamicPseudoType && kt != cty.DynamicPseudoType && kt != f.Key {
		s.fault("type-mismatch", index.SrcRange, "the instances of step.%s have %s for a key, and this is %s", target.Name(), types.Phrase(f.Key), types.Phrase(kt))
		return "", false
	}
	if !key.IsKnown() {
		own := s.step.ForEach
		if f.Known && own.Known && own.state == eachDone {
			for _, k := range own.Keys {
				if !slices.Contains(f.Keys, k) {
					s.noInstance(index.SrcRange, target, f, k)
					return "", false
				}
			}
		}
		return expr.EachKey, true
	}
	text := expr.Key(key)
	if f.Known && !slices.Contains(f.Keys, text) {
		s.noInstance(index.SrcRange, target, f, text)
		return "", false
	}
	if kt == cty.String {
		return string(record.StringKey(text)), true
	}
	return text, true
}

func (s *scope) noInstance(at hcl.Range, target *Step, f *ForEach, key string) {
	d := diag.New("unknown-reference", at, "step.%s has no instance %q", target.Name(), key).
		WithRelated(target.Block.Attr("for_each").Range(), "its instances are made here")
	if d = d.DidYouMean(key, f.Keys); d.Suggestion == "" {
		d = d.WithDetail("%s", evaluate.Listed("Its instances", f.Keys))
	}
	s.c.diags.Add(d)
}

// object is the type of all outputs of one instance.
func (s *scope) object(target *Step) cty.Type {
	attrs := map[string]cty.Type{}
	var optional []string
	for _, name := range evaluate.Names(target.outputs) {
		out := target.outputs[name]
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

// allInstances resolves step.x, of a step with for_each: a list, or a map by key, of all outputs.
func (s *scope) allInstances(t hcl.Traversal, target *Step, soft bool) (cty.Type, int) {
	f := s.c.forEach(s.p, target)
	s.use(Use{Ref: "step." + target.Name(), Step: target.Name()}, t[:2], soft)
	switch f.Key {
	case cty.Number:
		return cty.List(s.object(target)), 2
	case cty.String:
		return cty.Map(s.object(target)), 2
	}
	return cty.DynamicPseudoType, 2
}

// oneOfMany tells a reference to an output of a step with for_each that names no instance.
func (s *scope) oneOfMany(t hcl.Traversal, target *Step, attr hcl.TraverseAttr) {
	s.c.diags.Add(diag.New("for-expression", hcl.RangeBetween(t[0].SourceRange(), t[2].SourceRange()), "step.%s has for_each, and so an output %q for each instance", target.Name(), attr.Name).
		WithRelated(target.Block.LabelRange, "the step is declared here").
		WithSuggestion("write step.%s[*].%s for all of them, or step.%s[KEY].%s for one", target.Name(), attr.Name, target.Name(), attr.Name))
}
