package types_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/types"
)

// anyType draws a type; artifacts only where they are allowed.
func anyType(t *rapid.T, depth int, artifacts bool) cty.Type {
	words := []string{"string", "number", "bool", "any"}
	if artifacts {
		words = append(words, types.Kinds...)
	}
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind = 0
	}
	switch kind {
	case 1:
		return cty.List(anyType(t, depth-1, artifacts))
	case 2:
		return cty.Set(anyType(t, depth-1, false))
	case 3:
		return cty.Map(anyType(t, depth-1, artifacts))
	case 4:
		elems := make([]cty.Type, rapid.IntRange(0, 3).Draw(t, "elements"))
		for i := range elems {
			elems[i] = anyType(t, depth-1, artifacts)
		}
		return cty.Tuple(elems)
	case 5:
		attrs := map[string]cty.Type{}
		var optional []string
		for range rapid.IntRange(0, 3).Draw(t, "attributes") {
			name := rapid.SampledFrom([]string{"a", "b", "list", "optional", "c d", `q"`, "ä", "$${x}", "1", "", "a-b", "\n"}).Draw(t, "name")
			if attrs[name] = anyType(t, depth-1, artifacts); rapid.Bool().Draw(t, "optional") {
				optional = append(optional, name)
			}
		}
		return cty.ObjectWithOptionalAttrs(attrs, optional)
	case 6:
		if artifacts {
			return types.Of(types.Artifact{Kind: "artifact", Media: rapid.SampledFrom([]string{"a/b", `q"\`, "${x}", "%{x}", "ä\x00"}).Draw(t, "media")})
		}
	}
	t0, err := types.ParseString(rapid.SampledFrom(words).Draw(t, "word"))
	if err != nil {
		t.Fatal(err)
	}
	return t0
}

// TestText holds that every type's text is read back as that type.
func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := anyType(t, 4, true)
		back, err := types.ParseString(types.String(typ))
		if err != nil || !back.Equals(typ) {
			t.Fatalf("%s is read as %s (%v)", types.String(typ), types.String(back), err)
		}
		if types.Assignable(typ, typ) != nil && !types.HasArtifact(typ) {
			t.Fatalf("%s doesn't fit itself", types.String(typ))
		}
	})
}

// FuzzType reads any text as a type: what is read is written and read again as the same; and the reader of the source
// agrees.
func FuzzType(f *testing.F) {
	for _, s := range []string{"string", "list(number)", `object({a = optional(any), "b c" = model})`, `tuple([string, set(bool)])`, `artifact("a/b")`, "list(", "map(map(map(any)))", `object({a = string, a = bool})`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := types.ParseString(s)
		if err != nil {
			return
		}
		text := types.String(typ)
		if back, err := types.ParseString(text); err != nil || !back.Equals(typ) {
			t.Fatalf("%q is %s, which is read as %s (%v)", s, text, types.String(back), err)
		}
		if strings.ContainsAny(text, "\\$%") || len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
			return // HCL has other escapes
		}
		node, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%q: %v", text, diags)
		}
		read, faults := types.Parse(node)
		if len(faults) == 0 && !read.Equals(typ) {
			t.Fatalf("%q is read as %s by the one and as %s by the other", text, text, types.String(read))
		}
	})
}

func valueOf(t *rapid.T, typ cty.Type, nulls bool) cty.Value {
	if nulls && rapid.IntRange(0, 15).Draw(t, "null") == 0 {
		return cty.NullVal(typ.WithoutOptionalAttributesDeep())
	}
	switch {
	case typ == cty.DynamicPseudoType:
		return valueOf(t, rapid.SampledFrom([]cty.Type{cty.String, cty.Number, cty.List(cty.Bool), cty.EmptyObject}).Draw(t, "any"), false)
	case typ == cty.String:
		return cty.StringVal(rapid.String().Draw(t, "string"))
	case typ == cty.Number:
		return cty.NumberFloatVal(float64(rapid.Int32().Draw(t, "number")) / 8)
	case typ == cty.Bool:
		return cty.BoolVal(rapid.Bool().Draw(t, "bool"))
	case types.IsArtifact(typ):
		return cty.CapsuleVal(typ, &types.Handle{})
	case typ.IsTupleType():
		var elems []cty.Value
		for _, e := range typ.TupleElementTypes() {
			elems = append(elems, valueOf(t, e, nulls))
		}
		return cty.TupleVal(elems)
	case typ.IsObjectType():
		attrs := map[string]cty.Value{}
		for name, a := range typ.AttributeTypes() {
			attrs[name] = valueOf(t, a, nulls)
		}
		return cty.ObjectVal(attrs)
	case typ.IsMapType():
		attrs := map[string]cty.Value{}
		for _, name := range []string{"a", "b"}[:rapid.IntRange(0, 2).Draw(t, "count")] {
			attrs[name] = valueOf(t, typ.ElementType(), nulls)
		}
		return cty.ObjectVal(attrs)
	}
	elems := make([]cty.Value, rapid.IntRange(0, 2).Draw(t, "count"))
	for i := range elems {
		elems[i] = valueOf(t, typ.ElementType(), nulls)
	}
	return cty.TupleVal(elems)
}

// TestConvert holds that Convert does what Assignable says can be done, that only nulls and `any` stop it, that its
// result is of the type, and that a second time changes nothing.
func TestConvert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyType(t, 3, true)
		v := valueOf(t, want, true)
		out, err := types.Convert(v, want)
		if err != nil {
			var null *types.NullError
			if !errors.As(err, &null) && !strings.Contains(err.Error(), "set") && types.Assignable(v.Type(), want) == nil {
				t.Fatalf("%#v to %s: %v", v, types.String(want), err)
			}
			return
		}
		if m := types.Assignable(v.Type(), want); m != nil {
			t.Fatalf("converted in spite of %v", m)
		}
		plain := want.WithoutOptionalAttributesDeep()
		if !want.HasDynamicTypes() && !out.Type().Equals(plain) {
			t.Fatalf("%s is made of %s for %s", types.String(out.Type()), types.String(v.Type()), types.String(want))
		}
		again, err := types.Convert(out, want)
		if err != nil || !types.HasArtifact(want) && !again.RawEquals(out) {
			t.Fatalf("%#v becomes %#v when it is converted again (%v)", out, again, err)
		}
		if types.HasArtifact(out.Type()) {
			return
		}
		data, err := types.ToJSON(out)
		if err != nil {
			t.Fatal(err)
		}
		back, err := types.FromJSON(data, want)
		if err != nil || !types.HasArtifact(want) && !want.HasDynamicTypes() && !back.RawEquals(out) {
			t.Fatalf("%s is read as %#v, not %#v (%v)", data, back, out, err)
		}
	})
}

// TestNoConversion holds that strings, numbers and bools never turn into each other, nor mix in a list(any).
func TestNoConversion(t *testing.T) {
	one, a := cty.NumberIntVal(1), cty.StringVal("a")
	for _, c := range []struct {
		v    cty.Value
		to   string
		want string
	}{
		{one, "string", ""}, {cty.StringVal("1"), "number", ""}, {cty.True, "string", ""}, {cty.StringVal("true"), "bool", ""},
		{cty.TupleVal([]cty.Value{one, a}), "list(string)", ""},
		{cty.TupleVal([]cty.Value{one, a}), "list(any)", `[1,"a"]`},
		{cty.TupleVal([]cty.Value{one, a}), "set(any)", ""},
		{cty.ObjectVal(map[string]cty.Value{"x": one, "y": a}), "map(any)", `{"x":1,"y":"a"}`},
		{cty.ObjectVal(map[string]cty.Value{"x": one, "y": a}), "map(string)", ""},
		{cty.ObjectVal(map[string]cty.Value{"a": one}), "object({a = number, b = optional(string)})", `{"a":1,"b":null}`},
		{cty.ObjectVal(map[string]cty.Value{"a": one, "z": one}), "object({a = number})", ""},
		{cty.ObjectVal(map[string]cty.Value{"a": cty.NullVal(cty.Number)}), "object({a = number})", ""},
		{cty.ObjectVal(map[string]cty.Value{"a": cty.NullVal(cty.Number)}), "any", `{"a":null}`},
		{cty.ListValEmpty(cty.String), "list(number)", ""},
		{cty.EmptyTupleVal, "list(number)", `[]`},
		{cty.PositiveInfinity, "number", ""}, {cty.PositiveInfinity, "any", ""},
	} {
		to, err := types.ParseString(c.to)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if out, err := types.Convert(c.v, to); err == nil {
			data, err := types.ToJSON(out)
			if err != nil {
				t.Fatal(err)
			}
			got = string(data)
		}
		if got != c.want {
			t.Errorf("%#v as %s is %q, want %q", c.v, c.to, got, c.want)
		}
	}
}
