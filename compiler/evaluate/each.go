package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Each is the element of a for_each for which constants are evaluated, or the reason why there is no element.
type Each struct {
	Key, Value cty.Value
	Why        func(at hcl.Range, text string) diag.Diagnostic // returns the diagnostic for a reference that can't be read
}

// For evaluates constants for an element, until the returned function is called. nil: for no element, which is the default.
func (s *Scope) For(e *Each) (done func()) {
	before := s.each
	s.each = e
	return func() { s.each = before }
}

// eachType returns the type of each.key or each.value.
func (s *Scope) eachType(t hcl.Traversal) (typ cty.Type, taken int, mine bool) {
	if s.each.Why != nil {
		s.diags.Add(s.each.Why(t.SourceRange(), Text(t)))
		return cty.NilType, 0, true
	}
	name, ok := second(t)
	switch {
	case ok && name == "key":
		return s.each.Key.Type(), 2, true
	case ok && name == "value":
		return s.each.Value.Type(), 2, true
	}
	d := diag.New("unknown-reference", t.SourceRange(), "each has a key and a value: each.key, each.value")
	if ok {
		d = d.DidYouMean(name, []string{"key", "value"})
	}
	s.diags.Add(d)
	return cty.NilType, 0, true
}

// valueOf returns the value of var.x, local.x, each.x, recipe.x or of a reference that With has added.
func (s *Scope) valueOf(root, name string) (constant, bool) {
	if more, ok := s.more[root]; ok {
		v, ok := more[name]
		return newConstant(v), ok
	}
	switch {
	case root == "recipe":
		return s.recipeValue(name)
	case root != "each":
		n, ok := s.values.name(root, name)
		if !ok {
			return constant{}, false
		}
		return n.constant, true
	case name == "key":
		return newConstant(s.each.Key), true
	}
	return newConstant(s.each.Value), true
}

// constant is a value that is known when compiling.
type constant struct {
	value cty.Value // its numbers carry their text
	plain cty.Value // without these texts
	texts bool      // a number carries a text
}

func newConstant(v cty.Value) constant {
	if v == cty.NilVal || !types.HasForms(v) {
		return constant{value: v, plain: v}
	}
	return constant{value: v, plain: types.Computed(v), texts: true}
}
