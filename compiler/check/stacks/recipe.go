package stacks

import (
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Outputs returns the outputs of the recipe of a stack, by name. It is called for stacks with a recipe. nil: none has been made.
type Outputs func(stack string) map[string]string

// recipe is the recipe of one stack while the stack is checked.
type recipe struct {
	stack  *decode.Block
	block  *decode.Block     // nil: the stack has none
	row    *kinds.Recipe     // nil: the kind is missing or unknown
	data   *program.Recipe   // nil if it is faulty
	known  map[string]string // the outputs that the lock has
	reader string            // the block that is being checked
	reads  map[string]map[string]bool
}

// recipe checks the recipe of a stack.
func (c *checker) recipe(stack *decode.Block) *recipe {
	r := &recipe{stack: stack, block: stack.One("recipe"), reads: map[string]map[string]bool{}}
	if r.block == nil {
		return r
	}
	if r.row = c.kinds.Recipe(r.block.Label); r.row == nil {
		return r // package decode has reported the kind
	}
	before := c.project.Diags.Errors()
	data := &program.Recipe{Kind: r.block.Label}
	c.report(r.block, r.row.Read(c.values(r.block, r.row.Attributes), data))
	if c.project.Diags.Errors() == before && !c.lacksRequired(r) {
		r.data = data
	}
	if c.outputs != nil {
		r.known = c.outputs(stack.Label)
	}
	return r
}

// lacksRequired reports whether the recipe lacks an attribute that it requires, which package decode has reported.
func (c *checker) lacksRequired(r *recipe) bool {
	return slices.ContainsFunc(r.row.Attributes, func(a kinds.Attribute) bool { return a.Required && r.block.Attr(a.Name) == nil })
}

// scope returns what recipe.NAME means in the other blocks of the stack.
func (r *recipe) scope() *evaluate.Recipe {
	out := &evaluate.Recipe{Values: map[string]string{}, Fault: r.fault}
	if r.row != nil {
		for _, o := range r.row.Outputs {
			out.Values[o.Name] = o.Stand
		}
		for name, value := range r.known {
			if r.row.Output(name) != nil {
				out.Values[name] = value
			}
		}
	}
	return out
}

// fault returns what is wrong with a reference to an output, and notes which block reads it.
func (r *recipe) fault(at hcl.Range, name string) *diag.Diagnostic {
	var d diag.Diagnostic
	switch {
	case r.block == nil && !r.stack.Tried("recipe"):
		d = diag.New("unknown-reference", at, "%s has no recipe", attribute.Describe(r.stack)).WithSuggestion("write recipe \"aws\" { … } in the stack, or a value instead of recipe.%s", name)
	case r.row == nil:
		d = diag.New("unknown-reference", at, "the recipe of %s has an error", attribute.Describe(r.stack))
	case r.row.Output(name) == nil:
		var names []string
		for _, o := range r.row.Outputs {
			names = append(names, o.Name)
		}
		d = diag.New("unknown-reference", at, "a recipe of kind %q has no output %s", r.row.Kind, strconv.Quote(name)).DidYouMean(name, names)
		if d.Suggestion == "" {
			d = d.WithDetail("%s", evaluate.Listed("There are", names))
		}
	default:
		if r.data == nil {
			return nil
		}
		has, suggestion := r.row.Has(r.data, name)
		if has {
			r.read(name)
			return nil
		}
		d = diag.New("unknown-reference", at, "the recipe of %s doesn't make recipe.%s", attribute.Describe(r.stack), name).
			WithRelated(r.block.DefRange, "the recipe is here").WithSuggestion("%s", suggestion)
	}
	return &d
}

func (r *recipe) read(name string) {
	if r.reads[r.reader] == nil {
		r.reads[r.reader] = map[string]bool{}
	}
	r.reads[r.reader][name] = true
}

// complete finishes the recipe after the other blocks of the stack were checked, and stores it in the stack.
func (c *checker) complete(r *recipe, s *program.Stack) {
	if r.data == nil {
		return
	}
	s.Recipe = r.data
	for _, f := range r.row.Complete(c.project.Name, s, func(block, output string) bool { return r.reads[block][output] }) {
		b := r.block
		if other := r.stack.One(f.Block); other != nil {
			b = other
		}
		c.report(b, []kinds.Fault{f})
	}
	pending := map[string]bool{}
	for _, names := range r.reads {
		for name := range names {
			if _, known := r.known[name]; !known {
				pending[name] = true
			}
		}
	}
	s.Pending = slices.Sorted(maps.Keys(pending))
}
