package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Recipe is what recipe.NAME means in the blocks of a stack.
type Recipe struct {
	// Values are the outputs of the recipe, by name. One that isn't known yet has the text that takes its place.
	Values map[string]string
	// Fault returns what is wrong with a reference to an output; nil if it can be read. It is called once for each reference.
	Fault func(at hcl.Range, name string) *diag.Diagnostic
}

// WithRecipe evaluates constants of a stack with this recipe, until the returned function is called. nil: recipe.NAME can't be
// used, which is the default.
func (s *Scope) WithRecipe(r *Recipe) (done func()) {
	before := s.recipe
	s.recipe = r
	return func() { s.recipe = before }
}

// recipeType returns the type of recipe.NAME.
func (s *Scope) recipeType(t hcl.Traversal) (typ cty.Type, taken int, mine bool) {
	name, ok := second(t)
	if !ok {
		s.diags.Add(diag.New("unknown-reference", t.SourceRange(), "recipe needs a name: recipe.NAME").
			WithDetail("%s", Listed("There are", Names(s.recipe.Values))))
		return cty.NilType, 0, true
	}
	if d := s.recipe.Fault(t.SourceRange(), name); d != nil {
		s.diags.Add(*d)
		return cty.NilType, 0, true
	}
	return cty.String, 2, true
}

// recipeValue returns the value of recipe.NAME.
func (s *Scope) recipeValue(name string) (constant, bool) {
	text, ok := s.recipe.Values[name]
	return newConstant(types.StringVal(text)), ok
}
