package evaluate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
)

// constScope is the scope of expressions that must be known when compiling.
type constScope struct{ w *Project }

func (s constScope) Resolve(t hcl.Traversal, _ bool) (cty.Type, int) {
	if typ, taken, mine := s.w.Resolve(t); mine {
		return typ, taken
	}
	s.w.Diags.Add(s.w.Misplaced(t, nil))
	return cty.NilType, 0
}

func (s constScope) Instances(t hcl.Traversal, _ bool) (cty.Type, int, bool) {
	s.w.Diags.Add(s.w.Misplaced(t, nil))
	return cty.NilType, 0, true
}

func (s constScope) Choices(hcl.Traversal) []string { return nil }

func (s constScope) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	return s.w.Function(call)
}

// roots are the roots of all references, with what they are or where they can be used.
var roots = map[string]string{
	"var": "", "local": "",
	"param": "is known when a run starts", "step": "is known when the step has ended", "run": "is known when a run starts",
	"each": "can be used in a step with for_each", "input": "can be used in a step's own command and env",
	"output": "can be used in a step's own command and env", "image": "can be used where an image is expected",
	"code": "can be used where code is expected", "pipeline": "can be used where a pipeline is called",
	"library": "can be used where a pipeline is called",
}

// Misplaced reports a reference whose root can't be used at its position. more are the roots that can be used there besides
// var and local, for example "param.NAME".
func (w *Project) Misplaced(t hcl.Traversal, more []string) diag.Diagnostic {
	root, text := t.RootName(), Text(t)
	among := append([]string{"var.NAME", "local.NAME"}, more...)
	switch root {
	case "param", "step", "run", "each":
		if len(more) == 0 {
			return diag.New("not-constant", t.SourceRange(), "%s %s, but this value must be known when compiling", text, roots[root]).
				WithDetail("You can use var, local and functions here.")
		}
	}
	if what, known := roots[root]; known {
		return diag.New("out-of-place", t.SourceRange(), "%s can't be used here: %s.NAME %s", text, root, what).
			WithDetail("%s", Listed("What can be used here", among))
	}
	d := diag.New("unknown-reference", t.SourceRange(), "there is nothing named %s", root)
	meant := diag.Suggest(root, bareNames(among))
	if len(t) > 1 {
		d = d.WithDetail("%s", Listed("A reference starts with", among))
		if meant != "" {
			d = d.WithSuggestion("did you mean %q?", meant)
		}
		return d
	}
	if src := w.sources[t.SourceRange().Filename]; inTemplate(src, t.SourceRange()) {
		return diag.ForShell(d, src)
	}
	if meant != "" {
		return d.WithSuggestion("did you mean %s? Write a string in quotes: %q", among[slices.Index(bareNames(among), meant)], root)
	}
	return d.WithSuggestion("write a string in quotes: %q", root)
}

func bareNames(among []string) []string {
	out := make([]string, len(among))
	for i, name := range among {
		out[i], _, _ = strings.Cut(name, ".")
	}
	return out
}

// maxListed is how many names a message lists at most.
const maxListed = 12

// Listed returns a sentence with names.
func Listed(what string, names []string) string {
	switch {
	case len(names) == 0:
		return what + ": none."
	case len(names) > maxListed:
		return fmt.Sprintf("%s: %s and %d more.", what, strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return what + ": " + strings.Join(names, ", ") + "."
}

// inTemplate reports whether at is the whole content of a ${…}.
func inTemplate(src []byte, at hcl.Range) bool {
	return at.Start.Byte >= 2 && at.End.Byte < len(src) && string(src[at.Start.Byte-2:at.Start.Byte]) == "${" && src[at.End.Byte] == '}'
}

// Text returns a reference as it was written.
func Text(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			b.WriteString("[…]")
		}
	}
	return b.String()
}

// Resolve returns the type of var.x and local.x. mine is false for all other roots.
func (w *Project) Resolve(t hcl.Traversal) (typ cty.Type, taken int, mine bool) {
	root := t.RootName()
	if root == "each" && w.each != nil {
		return w.eachType(t)
	}
	if root != "var" && root != "local" {
		return cty.NilType, 0, false
	}
	name, ok := second(t)
	if !ok {
		w.Diags.Add(diag.New("unknown-reference", t.SourceRange(), "%s needs a name: %s.NAME", root, root).
			WithDetail("%s", Listed("Declared", w.declared(root))))
		return cty.NilType, 0, true
	}
	v, ok := w.named(root, name)
	if !ok {
		w.undeclared(t, root, name)
		return cty.NilType, 0, true
	}
	return v.Type(), 2, true
}

func (w *Project) declared(root string) []string {
	if root == "local" {
		return Names(w.Locals)
	}
	return Names(w.Variables)
}

// undeclared reports that var.x or local.x is not declared. A faulty declaration has been reported already.
func (w *Project) undeclared(t hcl.Traversal, root, name string) {
	names, kind := w.Variables, "variable"
	if root == "local" {
		names, kind = w.Locals, "local"
	}
	if _, declared := names[name]; declared {
		return
	}
	at := hcl.RangeBetween(t[0].SourceRange(), t[1].SourceRange())
	d := diag.New("unknown-reference", at, "there is no %s %q", kind, name)
	w.Diags.Add(w.Near(d, root+".", name, func() []string { return Names(names) }))
}

// maxNear is for how many unknown names similar names are searched. More messages are of no use to a user, and each search
// takes time in proportion to the number of names.
const maxNear = 100

// Near adds to d, which reports an unknown name behind a prefix such as "step.", the known name that was probably meant, or
// all known names if none is similar.
func (w *Project) Near(d diag.Diagnostic, prefix, name string, names func() []string) diag.Diagnostic {
	if w.near++; w.near > maxNear {
		return d
	}
	among := names()
	if hint := diag.NameMinus(prefix, name, among); hint != "" {
		return d.WithSuggestion("%s", hint)
	}
	if d = d.DidYouMean(name, among); d.Suggestion == "" {
		d = d.WithDetail("%s", Listed("There are", among))
	}
	return d
}

// Function finds a function by the name of a call, and reports a function that doesn't exist.
func (w *Project) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	if f, ok := w.functions[call.Name]; ok {
		return f, true
	}
	d := diag.New("unknown-function", call.NameRange, "there is no function %s", call.Name)
	switch call.Name {
	case "last_success":
		d = diag.New("out-of-place", call.NameRange, "last_success can't be used here").
			WithDetail("Use it as the whole value of a step's input, or as an argument of coalesce or try there.")
	case "env", "getenv":
		d = d.WithDetail("Programs don't depend on the environment, except for variables: PIPEC_VAR_NAME sets the value of var.NAME.")
	case "timestamp", "uuid", "uuidv4", "plantimestamp", "bcrypt":
		d = d.WithDetail("The same source always compiles to the same program, so there is no function for the time or for random values. Use run.name or run.scheduled_at, which are known when a run starts.")
	default:
		d = d.DidYouMean(call.Name, Names(w.functions))
	}
	w.Diags.Add(d)
	return function.Function{}, false
}
