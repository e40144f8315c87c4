// Package infer infers the type of an expression before any of its values are known, by walking the syntax tree. Every
// reference is resolved, also inside try, can and for, and every operator and call is checked. Evaluating with unknown
// values instead would accept `try(step.a.typo, 0)` and `number ? 1 : 2`.
//
// The Scope decides what a reference names. The package evaluates nothing.
package infer

import (
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Scope resolves the names in an expression.
type Scope interface {
	// Resolve returns the type of what the head of t names, and how many parts of t that took. soft: inside coalesce or
	// try. It reports a name that it can't resolve, and returns cty.NilType.
	Resolve(t hcl.Traversal, soft bool) (typ cty.Type, taken int)
	// Instances returns the type of a reference to the instances of a step: t is step.x, then the instance (a splat, or an
	// index that is each.key and therefore unknown), then the rest. handled is false if t is not such a reference.
	Instances(t hcl.Traversal, soft bool) (typ cty.Type, taken int, handled bool)
	// Choices returns the only strings that t can be; nil: any.
	Choices(t hcl.Traversal) []string
	// Function finds a function. It reports a function that doesn't exist.
	Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool)
}

// Type returns the type of e. It returns cty.NilType if something in e is wrong and has been reported; the caller should
// not report consequences of it.
func Type(e hclsyntax.Expression, scope Scope, diags *diag.List) cty.Type {
	w := walker{scope: scope, diags: diags}
	return w.typ(e)
}

// Text is like Type for an expression that must be text, or consist of text. A template of one interpolation, "${x}", is a
// string there as all other templates are, although elsewhere it has the type of x. The syntax tree is changed accordingly.
func Text(e hclsyntax.Expression, scope Scope, diags *diag.List) cty.Type {
	w := walker{scope: scope, diags: diags}
	return w.node(e, true)
}

type walker struct {
	scope Scope
	diags *diag.List
	names []name // the variables of `for`, innermost last
	anon  map[*hclsyntax.AnonSymbolExpr]cty.Type
	soft  int              // the calls of try and coalesce around the node
	tried int              // the calls of try and can around the node
	cause *diag.Diagnostic // why a part of the argument of try or can fails because of its value; nil: none does
}

type name struct {
	text string
	typ  cty.Type
}

func (w *walker) fault(code string, at hcl.Range, format string, args ...any) cty.Type {
	w.diags.Add(diag.New(code, at, format, args...))
	return cty.NilType
}

// ofValue reports a fault that depends on values, or on types that come from values. Inside try and can it is not a fault,
// because they exist to ask for it.
func (w *walker) ofValue(d diag.Diagnostic) cty.Type {
	if w.tried > 0 {
		w.cause = &d
	} else {
		w.diags.Add(d)
	}
	return cty.NilType
}

func (w *walker) valueFault(code string, at hcl.Range, format string, args ...any) cty.Type {
	return w.ofValue(diag.New(code, at, format, args...))
}

func (w *walker) typ(e hclsyntax.Expression) cty.Type { return w.node(e, false) }

// node returns the type of e. text: the value of e must be text, or consist of text.
func (w *walker) node(e hclsyntax.Expression, text bool) cty.Type {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val.Type()
	case *hclsyntax.ScopeTraversalExpr:
		return w.reference(e)
	case *hclsyntax.TemplateExpr:
		return w.template(e.Parts)
	case *hclsyntax.TemplateWrapExpr:
		return w.wrapped(e, text)
	case *hclsyntax.TemplateJoinExpr:
		if w.typ(e.Tuple) == cty.NilType {
			return cty.NilType
		}
		return cty.String
	case *hclsyntax.ParenthesesExpr:
		return w.node(e.Expression, text)
	case *hclsyntax.RelativeTraversalExpr:
		if t, ok := w.ofEach(e); ok {
			return t
		}
		return w.traverse(w.typ(e.Source), e.Traversal)
	case *hclsyntax.FunctionCallExpr:
		return w.call(e, text)
	case *hclsyntax.ConditionalExpr:
		return w.conditional(e, text)
	case *hclsyntax.IndexExpr:
		return w.index(e)
	case *hclsyntax.TupleConsExpr:
		return w.tuple(e, text)
	case *hclsyntax.ObjectConsExpr:
		return w.object(e, text)
	case *hclsyntax.ObjectConsKeyExpr:
		return w.typ(e.Wrapped)
	case *hclsyntax.ForExpr:
		return w.forExpr(e, text)
	case *hclsyntax.SplatExpr:
		return w.splat(e)
	case *hclsyntax.AnonSymbolExpr:
		return w.anon[e]
	case *hclsyntax.BinaryOpExpr:
		return w.binary(e)
	case *hclsyntax.UnaryOpExpr:
		return w.unary(e)
	}
	return w.fault("syntax", e.Range(), "this kind of expression is not part of the language")
}

func (w *walker) reference(e *hclsyntax.ScopeTraversalExpr) cty.Type {
	root := e.Traversal.RootName()
	for i := len(w.names) - 1; i >= 0; i-- {
		if w.names[i].text == root {
			return w.traverse(w.names[i].typ, e.Traversal[1:])
		}
	}
	t, taken := w.scope.Resolve(e.Traversal, w.soft > 0)
	if t == cty.NilType {
		return t
	}
	return w.traverse(t, e.Traversal[min(taken, len(e.Traversal)):])
}

// ofEach returns the type of step.x[each.key].y: of one instance, and not of one of all.
func (w *walker) ofEach(e *hclsyntax.RelativeTraversalExpr) (cty.Type, bool) {
	index, ok := e.Source.(*hclsyntax.IndexExpr)
	if !ok {
		return cty.NilType, false
	}
	step, ok := index.Collection.(*hclsyntax.ScopeTraversalExpr)
	key, isRef := index.Key.(*hclsyntax.ScopeTraversalExpr)
	if !ok || !isRef || len(step.Traversal) != 2 || step.Traversal.RootName() != "step" || w.shadowed("step") || w.shadowed("each") {
		return cty.NilType, false
	}
	if len(key.Traversal) != 2 || key.Traversal.RootName() != "each" || traversalText(key.Traversal) != "each.key" {
		return cty.NilType, false
	}
	k := w.typ(key)
	if k == cty.NilType {
		return k, true
	}
	t := append(step.Traversal[:2:2], hcl.TraverseIndex{Key: cty.UnknownVal(k), SrcRange: index.BracketRange})
	t = append(t, e.Traversal...)
	typ, taken, handled := w.scope.Instances(t, w.soft > 0)
	if !handled || typ == cty.NilType {
		return typ, handled
	}
	return w.traverse(typ, t[min(taken, len(t)):]), true
}

func (w *walker) shadowed(root string) bool {
	for i := range w.names {
		if w.names[i].text == root {
			return true
		}
	}
	return false
}

// traverse follows .name and [key] from a type.
func (w *walker) traverse(t cty.Type, rest hcl.Traversal) cty.Type {
	for _, step := range rest {
		if t == cty.NilType {
			return t
		}
		switch step := step.(type) {
		case hcl.TraverseAttr:
			t = w.attribute(t, step.Name, step.SrcRange)
		case hcl.TraverseIndex:
			t = w.element(t, step.Key.Type(), step.Key, step.SrcRange)
		default:
			return w.fault("for-expression", step.SourceRange(), "a splat can't be used here")
		}
	}
	return t
}

func (w *walker) attribute(t cty.Type, name string, at hcl.Range) cty.Type {
	switch {
	case t == cty.DynamicPseudoType:
		return t
	case types.IsArtifact(t):
		d := diag.New("out-of-place", at, "an artifact of another step has no attributes")
		if name == "path" {
			d = d.WithDetail("It has no path here. Pass it to the step as an input, and read input.NAME.path in the step's own command or env.")
		}
		w.diags.Add(d)
		return cty.NilType
	case t.IsMapType():
		return t.ElementType()
	case t.IsObjectType() && t.HasAttribute(name):
		return t.AttributeType(name)
	case t.IsObjectType():
		d := diag.New("unknown-attribute", at, "this object has no attribute %q", name)
		var names []string
		for n := range t.AttributeTypes() {
			names = append(names, n)
		}
		if d = d.DidYouMean(name, names); d.Suggestion == "" && len(names) > 0 {
			sort.Strings(names)
			d = d.WithDetail("Its attributes are %s.", strings.Join(names, ", "))
		}
		return w.ofValue(d)
	}
	return w.valueFault("type-mismatch", at, "%s has no attributes", types.Phrase(t))
}

func (w *walker) index(e *hclsyntax.IndexExpr) cty.Type {
	t, k := w.typ(e.Collection), w.typ(e.Key)
	if t == cty.NilType || k == cty.NilType {
		return cty.NilType
	}
	key := cty.UnknownVal(k.WithoutOptionalAttributesDeep())
	if len(e.Key.Variables()) == 0 && k.IsPrimitiveType() {
		if v, hclDiags := e.Key.Value(nil); !hclDiags.HasErrors() {
			key = v
		}
	}
	return w.element(t, k, key, e.BracketRange)
}

// element returns the type of t[key].
func (w *walker) element(t, k cty.Type, key cty.Value, at hcl.Range) cty.Type {
	wants := func(want cty.Type) bool {
		if k == want || k == cty.DynamicPseudoType {
			return true
		}
		w.valueFault("type-mismatch", at, "%s is indexed by %s, found %s", types.Phrase(t), types.Phrase(want), types.Phrase(k))
		return false
	}
	switch {
	case t == cty.DynamicPseudoType:
		return t
	case t.IsListType():
		switch i, known := wholeIndex(key); {
		case !wants(cty.Number):
		case known && i < 0:
			return w.valueFault("invalid-value", at, "there is no element %d: the first is 0", i)
		default:
			return t.ElementType()
		}
	case t.IsMapType():
		if wants(cty.String) {
			return t.ElementType()
		}
	case t.IsTupleType():
		if wants(cty.Number) {
			return w.tupleElement(t, key, at)
		}
	case t.IsObjectType():
		if !wants(cty.String) {
			break
		}
		if key.IsKnown() && !key.IsNull() && key.Type() == cty.String {
			return w.attribute(t, key.AsString(), at)
		}
		return cty.DynamicPseudoType
	case t.IsSetType():
		return w.valueFault("type-mismatch", at, "a set has no order and can't be indexed: tolist(…) converts it to a list")
	default:
		return w.valueFault("type-mismatch", at, "%s can't be indexed", types.Phrase(t))
	}
	return cty.NilType
}

// wholeIndex returns a key that is a known whole number.
func wholeIndex(key cty.Value) (int64, bool) {
	if !key.IsKnown() || key.IsNull() || key.Type() != cty.Number {
		return 0, false
	}
	i, accuracy := key.AsBigFloat().Int64()
	return i, accuracy == 0
}

func (w *walker) tupleElement(t cty.Type, key cty.Value, at hcl.Range) cty.Type {
	elems := t.TupleElementTypes()
	if key.IsKnown() && !key.IsNull() && key.Type() == cty.Number {
		i, accuracy := key.AsBigFloat().Int64()
		if accuracy != 0 || i < 0 || i >= int64(len(elems)) {
			return w.valueFault("invalid-value", at, "there is no element %s: the collection has %d elements, and the first is 0", key.AsBigFloat().Text('g', 10), len(elems))
		}
		return elems[i]
	}
	if u, ok := unifyAll(elems); ok {
		return u
	}
	return cty.DynamicPseudoType
}

func (w *walker) template(parts []hclsyntax.Expression) cty.Type {
	good := true
	for _, part := range parts {
		if _, ok := part.(*hclsyntax.LiteralValueExpr); ok {
			continue
		}
		t := w.typ(part)
		switch {
		case t == cty.NilType:
			good = false
		case t == cty.DynamicPseudoType || t.IsPrimitiveType():
		case types.IsArtifact(t) || isHandle(t):
			good = false
			w.artifactInString(part, t)
		default:
			good = false
			w.ofValue(diag.New("type-mismatch", part.Range(), "%s can't be used in a string", types.Phrase(t)).
				WithSuggestion("jsonencode(…) converts it to text, and join(\", \", …) a list of strings"))
		}
	}
	if !good {
		return cty.NilType
	}
	return cty.String
}

// wrapped returns the type of "${x}": a string if text is expected, otherwise the type of x.
func (w *walker) wrapped(e *hclsyntax.TemplateWrapExpr, text bool) cty.Type {
	t := w.node(e.Wrapped, text)
	if !text || t != cty.Number && t != cty.Bool && t != cty.DynamicPseudoType {
		return t
	}
	at := e.Wrapped.Range()
	e.Wrapped = &hclsyntax.FunctionCallExpr{
		Name: "tostring", Args: []hclsyntax.Expression{e.Wrapped}, NameRange: at, OpenParenRange: at, CloseParenRange: at,
	}
	return cty.String
}

// isHandle reports whether t is the type of input.x and output.y in a step's own command: { path }.
func isHandle(t cty.Type) bool { return t.Equals(HandleType) }

// HandleType is the type of an artifact input and of every output inside the step's own command and env.
var HandleType = cty.Object(map[string]cty.Type{"path": cty.String})

func (w *walker) artifactInString(part hclsyntax.Expression, t cty.Type) {
	d := diag.New("artifact-in-string", part.Range(), "an artifact is not text")
	if ref, ok := part.(*hclsyntax.ScopeTraversalExpr); ok && isHandle(t) {
		text := traversalText(ref.Traversal)
		d = diag.New("artifact-in-string", part.Range(), "%s is not text; its path is %s.path", text, text).
			WithFix(ref.Range(), text+".path")
	} else {
		d = d.WithDetail("Pass it to the step as an input: the step's own command and env can read input.NAME.path.")
	}
	w.diags.Add(d)
}

func traversalText(t hcl.Traversal) string {
	out := ""
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			out += step.Name
		case hcl.TraverseAttr:
			out += "." + step.Name
		case hcl.TraverseIndex:
			out += "[…]"
		}
	}
	return out
}
