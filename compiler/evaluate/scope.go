package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
)

// Scope knows what the references and the functions in constants mean, and reports those that mean nothing.
type Scope struct {
	values    *Values
	functions map[string]function.Function
	sources   map[string][]byte
	each      *Each
	recipe    *Recipe
	more      map[string]map[string]cty.Value // by root and name; see With
	near      int                             // how many unknown names have been searched among the known ones
	diags     *diag.List
}

// Resolve returns the type of var.x and local.x. mine is false for all other roots.
func (s *Scope) Resolve(t hcl.Traversal) (typ cty.Type, taken int, mine bool) {
	root := t.RootName()
	if root == "each" && s.each != nil {
		return s.eachType(t)
	}
	if root == "recipe" && s.recipe != nil {
		return s.recipeType(t)
	}
	if more, ok := s.more[root]; ok {
		return s.moreType(t, more)
	}
	if root != "var" && root != "local" {
		return cty.NilType, 0, false
	}
	name, ok := second(t)
	if !ok {
		s.diags.Add(diag.New("unknown-reference", t.SourceRange(), "%s needs a name: %s.NAME", root, root).
			WithDetail("%s", Listed("Declared", Names(s.values.of(root)))))
		return cty.NilType, 0, true
	}
	v, ok := s.values.named(root, name)
	if !ok {
		s.undeclared(t, root, name)
		return cty.NilType, 0, true
	}
	return v.Type(), 2, true
}

// Source returns the text of a file of the project, by the file name in ranges.
func (s *Scope) Source(filename string) []byte { return s.sources[filename] }

// context returns the values of the references in an expression, and the functions. texts are those of the variables, by root, in
// which numbers carry a text, with these texts. It returns false if a value is missing, which has been reported.
func (s *Scope) context(node hclsyntax.Expression) (ctx *hcl.EvalContext, texts map[string]cty.Value, ok bool) {
	roots, carried := map[string]map[string]cty.Value{}, map[string]map[string]cty.Value{}
	for _, t := range node.Variables() {
		root := t.RootName()
		attr, ok := second(t)
		if !ok || root != "var" && root != "local" && (root != "each" || s.each == nil) && (root != "recipe" || s.recipe == nil) && s.more[root] == nil {
			continue // a variable of `for`
		}
		v, ok := s.valueOf(root, attr)
		if !ok {
			return nil, nil, false
		}
		if roots[root] == nil {
			roots[root] = map[string]cty.Value{}
		}
		roots[root][attr] = v.plain
		if v.texts {
			if carried[root] == nil {
				carried[root] = map[string]cty.Value{}
			}
			carried[root][attr] = v.value
		}
	}
	ctx = &hcl.EvalContext{Functions: s.functions, Variables: map[string]cty.Value{}}
	for root, attrs := range roots {
		ctx.Variables[root] = cty.ObjectVal(attrs)
	}
	for root, attrs := range carried {
		for name, v := range roots[root] {
			if _, ok := attrs[name]; !ok {
				attrs[name] = v
			}
		}
		if texts == nil {
			texts = map[string]cty.Value{}
		}
		texts[root] = cty.ObjectVal(attrs)
	}
	return ctx, texts, true
}

// Function finds a function by the name of a call, and reports a function that doesn't exist.
func (s *Scope) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	if f, ok := s.functions[call.Name]; ok {
		return f, true
	}
	d := diag.New("unknown-function", call.NameRange, "there is no function %s", call.Name)
	switch call.Name {
	case "last_success":
		d = diag.New("out-of-place", call.NameRange, "last_success can't be used here").
			WithDetail("Use it as the whole value of a step's input, or as an argument of coalesce or try there.")
	case "env", "getenv":
		d = d.WithDetail("Programs don't depend on the environment, except for variables: PIPEC_VAR_NAME sets the value of var.NAME.")
	case "timestamp", "uuid", "uuidv4", "plantimestamp", "bcrypt", "now", "today", "date", "time", "rand", "random":
		d = d.WithDetail("The same source always compiles to the same program, so there is no function for the time or for random values. Use run.name or run.scheduled_at, which are known when a run starts.")
	case "md5", "sha1", "sha512":
		d = d.WithSuggestion("did you mean %q?", "sha256")
	default:
		d = d.DidYouMean(call.Name, Names(s.functions))
	}
	s.diags.Add(d)
	return function.Function{}, false
}

// constScope is the scope of expressions that must be known when compiling.
type constScope struct{ s *Scope }

func (c constScope) Resolve(t hcl.Traversal, _ bool) (cty.Type, int) {
	if typ, taken, mine := c.s.Resolve(t); mine {
		return typ, taken
	}
	c.s.diags.Add(c.s.Misplaced(t, nil))
	return cty.NilType, 0
}

func (c constScope) Instances(t hcl.Traversal, _ bool) (cty.Type, int, bool) {
	c.s.diags.Add(c.s.Misplaced(t, nil))
	return cty.NilType, 0, true
}

func (c constScope) Choices(hcl.Traversal) []string { return nil }

func (c constScope) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	return c.s.Function(call)
}
