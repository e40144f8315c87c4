package infer_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// names are what the expressions of this test can refer to, with their types in the language's syntax.
var names = map[string]string{
	"n": "number", "m": "number", "s": "string", "b": "bool",
	"ln": "list(number)", "ls": "list(string)", "mn": "map(number)", "ss": "set(string)",
	"o": "object({a = number, b = string, c = list(number)})", "lo": "list(object({a = number, b = optional(string)}))",
	"t": "tuple([number, string, bool])", "x": "any", "lx": "list(any)", "mo": "map(object({a = number}))",
}

// scope resolves these names.
type scope struct{ diags *diag.List }

func (s scope) Instances(hcl.Traversal, bool) (cty.Type, int, bool) { return cty.NilType, 0, false }

func (s scope) Resolve(t hcl.Traversal, _ bool) (cty.Type, int) {
	text, ok := names[t.RootName()]
	if !ok {
		s.diags.Add(diag.New("unknown-reference", t.SourceRange(), "nothing is named %s", t.RootName()))
		return cty.NilType, 0
	}
	typ, err := types.ParseString(text)
	if err != nil {
		panic(err)
	}
	return typ, 1
}

func (scope) Choices(hcl.Traversal) []string { return nil }

func (s scope) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	f, ok := expr.Functions()[call.Name]
	if !ok {
		s.diags.Add(diag.New("unknown-function", call.NameRange, "there is no function %s", call.Name))
	}
	return f, ok
}

// TestSoundness checks that the value of an expression has the inferred type, and that an expression with a type fails only
// because of its values.
func TestSoundness(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := (&maker{t: t}).expr(rapid.SampledFrom(wants).Draw(t, "want"), 4)
		sound(t, text)
	})
}

// FuzzSoundness does the same with arbitrary text.
func FuzzSoundness(f *testing.F) {
	f.Add(`[for k, v in mn : "${k}=${v}" if v > n]`, uint64(1))
	f.Add(`try(o.a, lo[0].b, x) == coalesce(s, "y") ? ln[*] : [1, n]`, uint64(2))
	f.Add(`merge(mn, { a = n })["a"] + max(ln...)`, uint64(3))
	f.Add(`{ for v in lo : v.a => v... }`, uint64(4))
	f.Add(`"%{ for v in ls }${v}%{ if b }x%{ endif }%{ endfor }"`, uint64(5))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 200 || strings.Contains(text, "range") || strings.Contains(text, "indent") || strings.Contains(text, "format") || strings.Contains(text, "setproduct") {
			return // these functions can return very large values
		}
		values := map[string]cty.Value{}
		for name, typ := range names {
			values[name] = rapid.Custom(func(t *rapid.T) cty.Value { return value(t, typ) }).Example(int(seed & 0xffff))
		}
		check(t, text, values)
	})
}

func sound(t *rapid.T, text string) {
	values := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(names)) { // always drawn in the same order
		values[name] = value(t, names[name])
	}
	check(t, text, values)
}

func check(t interface {
	Fatalf(string, ...any)
	Logf(string, ...any)
}, text string, values map[string]cty.Value) {
	node, err := expr.Parse(text)
	if err != nil {
		return
	}
	var diags diag.List
	typ := infer.Type(node, scope{&diags}, &diags)
	if typ == cty.NilType {
		if !diags.HasErrors() {
			t.Fatalf("%s has no type, and nothing is told", text)
		}
		return
	}
	if diags.HasErrors() {
		t.Fatalf("%s has the type %s, and is faulty: %v", text, types.String(typ), diags.Sorted())
	}
	v, hclDiags := node.Value(&hcl.EvalContext{Variables: values, Functions: expr.Functions()})
	if hclDiags.HasErrors() {
		if !inTheValues(hclDiags[0], text) {
			t.Fatalf("%s has the type %s, and fails: %s\n%v", text, types.String(typ), hclDiags[0], values)
		}
		return
	}
	if v.IsNull() || !types.Finite(v) {
		return
	}
	if _, err := types.Convert(v, typ); err != nil && !holdsNull(err) {
		t.Fatalf("%s has the type %s, and gives %s: %v\n%#v", text, types.String(typ), types.String(v.Type()), err, v)
	}
}

func holdsNull(err error) bool { _, ok := err.(*types.NullError); return ok }

// inTheValues reports whether a failure is one that types can't predict.
func inTheValues(d *hcl.Diagnostic, text string) bool {
	switch d.Summary {
	case "Invalid index", "Error in function call", "Invalid function argument", "Attempt to get attribute from null value",
		"Attempt to index null value", "Iteration over null value", "Null value as key", "Invalid operand", "Operation failed",
		"Duplicate object key", "Null condition", "Condition is null", "Splat of null value", "Invalid expanding argument value":
		return d.Summary != "Invalid operand" || strings.Contains(d.Detail, "null") || dynamic(text)
	case "Invalid template interpolation value":
		return strings.Contains(d.Detail, "null") || dynamic(text)
	case "Missing map element", "Unsupported attribute":
		return strings.Contains(text, ".") || strings.Contains(text, "[")
	}
	return dynamic(text)
}

// dynamic reports whether a text reads a value whose type is not known, calls a function that returns one, or iterates over
// values of several types.
func dynamic(text string) bool {
	return dynamicWords.MatchString(text) || strings.Contains(text, "for ") && severalTypes.MatchString(text)
}

var severalTypes = regexp.MustCompile(`\b(o|t)\b|[{\[]`)

var dynamicWords = regexp.MustCompile(`\b(x|lx|jsondecode|csvdecode|regex|regexall|lookup|values|element|flatten|merge|concat|try|coalescelist|zipmap)\b|\((s|"[^"]*\$)|null|\[\]|\{\}|\{ \(`)

var wants = []string{"number", "string", "bool", "list(number)", "list(string)", "map(number)", "object", "any"}

// maker writes expressions that are mostly well typed.
type maker struct {
	t     *rapid.T
	bound []string // variables of `for`
}

func (m *maker) pick(options ...func() string) string {
	return options[rapid.IntRange(0, len(options)-1).Draw(m.t, "option")]()
}

func (m *maker) expr(want string, depth int) string {
	if rapid.IntRange(0, 30).Draw(m.t, "noise") == 0 {
		want = rapid.SampledFrom(wants).Draw(m.t, "other")
	}
	if depth <= 0 {
		return m.leaf(want)
	}
	e := func(format string, parts ...string) func() string {
		return func() string {
			var args []any
			for _, p := range parts {
				args = append(args, m.expr(p, depth-1))
			}
			return fmt.Sprintf(format, args...)
		}
	}
	leaf := func() string { return m.leaf(want) }
	anything := []func() string{
		leaf, e("(%s ? %s : %s)", "bool", want, want), e("coalesce(%s, %s)", want, want), e("try(%s, %s)", want, want), e("(%s)", want),
		e("[%s, %s][0]", want, want), e("{ k = %s, l = %s }.k", want, "any"), e("element([%s], %s)", want, "number"),
	}
	var more []func() string
	switch want {
	case "number":
		more = []func() string{e("(%s + %s)", "number", "number"), e("(%s %% %s)", "number", "number"), e("-%s", "number"), e("length(%s)", "list(string)"), e("%s[0]", "list(number)"), e("max(%s...)", "list(number)"), e("%s.a", "object"), e("abs(%s)", "number"), e(`tonumber("%s")`, "number"), e(`%s["k"]`, "map(number)"), e(`lookup(%s, "k", %s)`, "map(number)", "number")}
	case "string":
		more = []func() string{e(`"a${%s}b${%s}"`, "string", "number"), e(`upper(%s)`, "string"), e(`join(",", %s)`, "list(string)"), e(`"%%{ if %s }y%%{ endif }"`, "bool"), e(`"%%{ for i in %s }${i}%%{ endfor }"`, "list(number)"), e(`tostring(%s)`, "number"), e("jsonencode(%s)", "any"), e(`format("%%s", %s)`, "any"), e("%s.b", "object")}
	case "bool":
		more = []func() string{e("(%s == %s)", "any", "any"), e("(%s < %s)", "number", "number"), e("(%s && %s)", "bool", "bool"), e("!%s", "bool"), e("can(%s)", "any"), e("contains(%s, %s)", "list(string)", "string"), e("(%s != %s)", "list(number)", "list(number)")}
	case "list(number)":
		more = []func() string{m.comprehension("[for %s in %s : %s]", "list(number)", "number", depth), e("concat(%s, %s)", "list(number)", "list(number)"), e("[%s, %s]", "number", "number"), e("lo[*].a", want), e("reverse(%s)", "list(number)"), e("values(%s)", "map(number)"), e("distinct(%s)", "list(number)"), e("slice(%s, 0, 1)", "list(number)"), e("flatten([%s, %s])", "list(number)", "list(number)"), e("tolist(%s)", "list(number)"), e("%s.c", "object")}
	case "list(string)":
		more = []func() string{m.comprehension("[for %s in %s : %s]", "list(string)", "string", depth), e("keys(%s)", "map(number)"), e("[%s, %s]", "string", "string"), e(`split(",", %s)`, "string"), e("sort(%s)", "list(string)"), e("concat(%s, %s)", "list(string)", "list(string)"), e("compact(%s)", "list(string)"), e("tolist(ss)", want), e("lo[*].b", want)}
	case "map(number)":
		more = []func() string{e("{ k = %s, l = %s }", "number", "number"), e("merge(%s, %s)", "map(number)", "map(number)"), m.comprehension("{ for %s in %s : \"k${i}\" => %s }", "list(number)", "number", depth), e("zipmap(%s, %s)", "list(string)", "list(number)"), e("tomap(%s)", "map(number)"), e("{ (%s) = %s }", "string", "number")}
	case "object":
		more = []func() string{e("{ a = %s, b = %s, c = %s }", "number", "string", "list(number)"), e("merge(%s, { a = %s })", "object", "number")}
	case "any":
		for _, w := range wants[:7] {
			more = append(more, e("%s", w))
		}
		more = append(more, e("jsondecode(%s)", "string"), e("x.a", want), e("x[%s]", "number"), e("[for i in x : %s]", "any"))
	}
	return m.pick(append(more, anything...)...)
}

func (m *maker) comprehension(format, over, want string, depth int) func() string {
	return func() string {
		coll := m.expr(over, depth-1)
		m.bound = append(m.bound, want)
		body := m.expr(want, depth-1)
		m.bound = m.bound[:len(m.bound)-1]
		return fmt.Sprintf(format, "i", coll, body)
	}
}

func (m *maker) leaf(want string) string {
	leaves := map[string][]string{
		"number": {"n", "m", "1", "0", "2.5", "t[0]", "o.a", "mo[s].a"}, "string": {"s", `"text"`, `""`, "o.b", "t[1]", `"5"`}, "bool": {"b", "true", "t[2]"},
		"list(number)": {"ln", "[1, 2]", "[]", "o.c"}, "list(string)": {"ls", `["a"]`, "[]"}, "map(number)": {"mn", "{}", "{ k = 1 }"},
		"object": {"o", `{ a = 1, b = "x", c = [1] }`}, "any": {"x", "lx", "lo", "ss", "null", "mo", "t"},
	}[want]
	if n := len(m.bound); n > 0 && m.bound[n-1] == want {
		leaves = append(leaves, "i")
	}
	return rapid.SampledFrom(leaves).Draw(m.t, "leaf")
}

// value returns a value of a type.
func value(t *rapid.T, text string) cty.Value {
	typ, err := types.ParseString(text)
	if err != nil {
		panic(err)
	}
	return valueOf(t, typ)
}

func valueOf(t *rapid.T, typ cty.Type) cty.Value {
	count := func() int { return rapid.IntRange(0, 3).Draw(t, "count") }
	switch {
	case typ == cty.DynamicPseudoType:
		return value(t, rapid.SampledFrom([]string{"number", "string", "bool", "list(number)", "object({a = string})", "map(list(bool))"}).Draw(t, "any"))
	case typ == cty.Number:
		return cty.NumberIntVal(int64(rapid.IntRange(-3, 3).Draw(t, "number")))
	case typ == cty.String:
		return cty.StringVal(rapid.SampledFrom([]string{"", "k", "5", "a,b", "ä", "[1]", `{"a":1}`}).Draw(t, "string"))
	case typ == cty.Bool:
		return cty.BoolVal(rapid.Bool().Draw(t, "bool"))
	case typ.IsTupleType():
		var elems []cty.Value
		for _, e := range typ.TupleElementTypes() {
			elems = append(elems, valueOf(t, e))
		}
		return cty.TupleVal(elems)
	case typ.IsObjectType():
		attrs := map[string]cty.Value{}
		for _, name := range []string{"a", "b", "c"} {
			if !typ.HasAttribute(name) {
				continue
			}
			attrs[name] = valueOf(t, typ.AttributeType(name))
			if typ.AttributeOptional(name) && rapid.Bool().Draw(t, "null") {
				attrs[name] = cty.NullVal(typ.AttributeType(name))
			}
		}
		return cty.ObjectVal(attrs)
	case typ.IsMapType():
		elems := map[string]cty.Value{}
		for i := range count() {
			elems[[]string{"k", "l", "m"}[i]] = valueOf(t, typ.ElementType())
		}
		v, err := types.Convert(cty.ObjectVal(elems), typ)
		if err != nil {
			panic(err)
		}
		return v
	}
	var elems []cty.Value
	for range count() {
		elems = append(elems, valueOf(t, typ.ElementType()))
	}
	v, err := types.Convert(cty.TupleVal(elems), typ)
	if err != nil {
		panic(err)
	}
	return v
}
