package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// The states of a for_each, whose type others may ask for before its step's turn.
const (
	eachUntouched = iota
	eachVisiting
	eachDone
)

// forEach checks a step's for_each, once, when it is first asked for.
func (c *checker) forEach(p *Pipeline, s *Step) *ForEach {
	f := s.ForEach
	if f == nil || f.state != eachUntouched {
		return f
	}
	f.state = eachVisiting
	c.eachValue(p, s, f)
	f.state = eachDone
	return f
}

func (c *checker) eachValue(p *Pipeline, s *Step, f *ForEach) {
	e := s.Block.Attr("for_each")
	sc := scope{c: c, p: p, step: s, kind: language.Runtime, whole: true}
	v := c.valueIn(&sc, e)
	if v == nil {
		return
	}
	t := v.Type
	if v.Const != cty.NilVal {
		if v.Const.IsNull() {
			c.diags.Add(diag.New("null-value", e.Range(), "for_each goes over a list, a set or a map, and this is null").
				WithSuggestion("for no instance at all, write [] or {}"))
			return
		}
		t = types.Widen(v.Const)
	}
	switch {
	case t == cty.DynamicPseudoType:
		f.Key, f.Elem = t, t
	case t.IsListType():
		f.Key, f.Elem = cty.Number, t.ElementType()
	case t.IsTupleType():
		f.Elem = one(t.TupleElementTypes())
		f.Key, t = cty.Number, cty.List(f.Elem)
	case t.IsSetType() && (t.ElementType() == cty.String || t.ElementType() == cty.DynamicPseudoType):
		f.Key, f.Elem, t = cty.String, cty.String, cty.Set(cty.String)
	case t.IsMapType():
		f.Key, f.Elem = cty.String, t.ElementType()
	case t.IsObjectType():
		var all []cty.Type
		for _, a := range t.AttributeTypes() {
			all = append(all, a)
		}
		f.Elem = one(all)
		f.Key, t = cty.String, cty.Map(f.Elem)
	case t.IsSetType():
		c.diags.Add(diag.New("for-expression", e.Range(), "the elements of a set are the keys of the instances, and so are strings: this is %s", types.Phrase(t)).
			WithSuggestion("tolist(…) makes a list of it, whose instances are numbered"))
		return
	default:
		d := diag.New("for-expression", e.Range(), "for_each goes over a list, a set or a map, and this is %s", types.Phrase(t))
		if t == cty.Number {
			d = d.WithSuggestion("range(…) makes a list of so many numbers")
		}
		c.diags.Add(d)
		return
	}
	if !c.wanted(v, t, e, hcl.Range{}) {
		f.Key, f.Elem = cty.NilType, cty.NilType
		return
	}
	f.Value, f.Type = v, t
	if v.Const != cty.NilVal {
		c.eachKeys(s, f, e)
	}
}

// one is the type of all elements; any where they have several.
func one(all []cty.Type) cty.Type {
	if len(all) == 0 {
		return cty.DynamicPseudoType
	}
	for _, t := range all[1:] {
		if !t.Equals(all[0]) {
			return cty.DynamicPseudoType
		}
	}
	return all[0]
}

// eachKeys keeps the keys of a for_each that is known when compiling.
func (c *checker) eachKeys(s *Step, f *ForEach, e hcl.Expression) {
	f.Known = true
	t := f.Value.Const.Type()
	for it := f.Value.Const.ElementIterator(); it.Next(); {
		k, v := it.Element()
		if t.IsSetType() {
			k = v
		}
		f.Keys = append(f.Keys, expr.Key(k))
	}
	most := program.MaxInstances
	if n, ok := c.world.Int(s.Block, "max_instances", 1); ok {
		most = n
	}
	if len(f.Keys) > most {
		c.diags.Add(diag.New("too-large", e.Range(), "for_each has %d elements, and max_instances is %d", len(f.Keys), most))
	}
}

// instances checks what is said of the instances of a step.
func (c *checker) instances(p *Pipeline, s *Step) {
	b := s.Block
	if s.ForEach == nil {
		for _, name := range []string{"max_parallel", "max_instances"} {
			if a := b.Attrs[name]; a != nil && !b.Tried("for_each") {
				c.diags.Add(diag.New("out-of-place", a.NameRange, "`%s` is about the instances of a step with for_each, and this has none", name))
			}
		}
		return
	}
	f := c.forEach(p, s)
	out := &program.ForEach{MaxInstances: program.MaxInstances}
	if n, ok := c.world.Int(b, "max_parallel", 1); ok {
		out.MaxParallel = n
	}
	if n, ok := c.world.Int(b, "max_instances", 1); ok {
		out.MaxInstances = n
	}
	if f.Value != nil {
		out.Type = types.String(f.Type)
	}
	s.Program.ForEach = out
}
