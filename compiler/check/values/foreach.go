package values

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// visit is the state of a for_each. Other expressions can need its type before it is the turn of its own step.
type visit int

const (
	unvisited visit = iota
	visiting
	visited
)

// ForEach checks the for_each of a step when it is needed first, and returns it. In a ring of for_each that read each
// other, the types of the one that was begun first are still cty.NilType.
func (e *Evaluator) ForEach(s *model.Step) *model.ForEach {
	f := s.ForEach
	if f == nil || e.forEach[s] != unvisited {
		return f
	}
	e.forEach[s] = visiting
	e.forEachValue(s, f)
	e.forEach[s] = visited
	return f
}

func (e *Evaluator) forEachValue(s *model.Step, f *model.ForEach) {
	x := s.Block.Attr("for_each")
	v := e.valueIn(&resolver{evaluator: e, step: s, kind: language.Runtime, forEach: true}, x)
	if v == nil {
		return
	}
	if v.Const != cty.NilVal && v.Const.IsNull() {
		e.diags.Add(diag.New("null-value", x.Range(), "expected a list, a set or a map, found null").
			WithSuggestion("for no instances, write [] or {}"))
		return
	}
	t, ok := e.collection(v, f, x.Range())
	if !ok {
		return
	}
	if !e.Assign(v, t, x, hcl.Range{}) {
		f.Key, f.Elem = cty.NilType, cty.NilType
		return
	}
	f.Value, f.Type = v, t
	if v.Const != cty.NilVal {
		e.forEachKeys(s, f, x)
	}
}

// collection sets the types of each.key and each.value, and returns the type to which the value of for_each is converted.
func (e *Evaluator) collection(v *model.Value, f *model.ForEach, at hcl.Range) (cty.Type, bool) {
	t := v.Type
	if v.Const != cty.NilVal {
		t = types.Widen(v.Const)
	}
	switch {
	case t == cty.DynamicPseudoType:
		f.Key, f.Elem = t, t
	case t.IsListType():
		f.Key, f.Elem = cty.Number, t.ElementType()
	case t.IsTupleType():
		f.Elem = commonType(t.TupleElementTypes())
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
		f.Elem = commonType(all)
		f.Key, t = cty.String, cty.Map(f.Elem)
	case t.IsSetType():
		e.diags.Add(diag.New("for-expression", at, "expected a set of strings, because the elements are the keys of the instances, found %s", types.Phrase(t)).
			WithSuggestion("convert it with tolist(…), so that the instances are numbered"))
		return t, false
	default:
		d := diag.New("for-expression", at, "expected a list, a set or a map, found %s", types.Phrase(t))
		if t == cty.Number {
			d = d.WithSuggestion("use range(…) for a list of numbers")
		}
		e.diags.Add(d)
		return t, false
	}
	return t, true
}

// commonType returns the type of all elements, or any if they have several.
func commonType(all []cty.Type) cty.Type {
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

// forEachKeys stores the keys of a for_each that is known when compiling.
func (e *Evaluator) forEachKeys(s *model.Step, f *model.ForEach, x hcl.Expression) {
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
	if n, ok := e.project.Attributes.Int(s.Block, "max_instances", 1); ok {
		most = n
	}
	if len(f.Keys) > most {
		e.diags.Add(diag.New("too-large", x.Range(), "for_each has %d elements, but max_instances is %d", len(f.Keys), most))
	}
}
