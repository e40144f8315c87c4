package expr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

const (
	nfd = "e\u0301" // é as two characters
	nfc = "\u00e9"  // é as one
)

// asJSON evaluates a text over the JSON of its references, and returns the result as JSON.
func asJSON(text string, refs map[string]string) (string, error) {
	e := expr.Expr{Text: text, Type: "any"}
	for ref := range refs {
		e.Refs = append(e.Refs, ref)
	}
	v, err := e.Eval(func(ref string) (cty.Value, error) {
		data, ok := refs[ref]
		if !ok {
			return cty.NilVal, errors.New("there is no " + ref)
		}
		return types.FromJSON([]byte(data), cty.DynamicPseudoType)
	})
	if err != nil {
		return "", err
	}
	out, err := types.ToJSON(v)
	return string(out), err
}

func TestTextIsCarried(t *testing.T) {
	refs := map[string]string{
		"step.a.d": `"` + nfd + `"`, "step.a.c": `"` + nfc + `"`, "step.a.m": `{"` + nfd + `.txt":1.0,"a":2}`,
		"step.a.l": `["` + nfd + `","` + nfc + `","z"]`, "step.a.n": `1.0`, "step.a.i": `1`, "step.a.big": `1e20`, "step.a.zero": `-0.0`, "step.a.small": `1e-5`, "step.a.t": `true`,
		"step.a.id": `-123456789012345678901234567890`, "step.a.tiny": `-0.00000001`, "step.a.nines": `999999999999999999999`, "step.a.long": `1234567890123456789012.5`,
		"step.a.fs": `[3.0,1,2.50]`,
	}
	for _, c := range []struct{ text, want string }{
		{`step.a.d`, `"D"`},
		{`[step.a.d, step.a.c, "` + nfc + `"]`, `["D","C","C"]`},
		{`{ a = step.a.d, (step.a.d) = step.a.c }`, `{"a":"D","D":"C"}`},
		{`step.a.t ? step.a.d : step.a.c`, `"D"`},
		{`step.a.t ? step.a.c : step.a.d`, `"C"`},
		{`!step.a.t ? step.a.c : step.a.d`, `"D"`},
		{`[for x in step.a.l : x]`, `["D","C","z"]`},
		{`[for k, v in step.a.m : "${k}=${v}"]`, `["a=2","D.txt=1.0"]`},
		{`{ for k, v in step.a.m : k => v }`, `{"a":2,"D.txt":1.0}`},
		{`{ for x in step.a.l : "${x}!" => x... if x == "z" || x == "` + nfc + `" }`, `{"z!":["z"],"C!":["D","C"]}`},
		{`step.a.l[0]`, `"D"`},
		{`step.a.l[1]`, `"C"`},
		{`step.a.m["` + nfc + `.txt"]`, `1.0`},
		{`keys(step.a.m)`, `["a","D.txt"]`},
		{`values(step.a.m)`, `[2,1.0]`},
		{`lookup(step.a.m, "a", 0)`, `2`},
		{`merge(step.a.m, { b = step.a.d })`, `{"a":2,"b":"D","D.txt":1.0}`},
		{`concat(step.a.l, [step.a.c, step.a.d])`, `["D","C","z","C","D"]`},
		{`try(step.a.d.x, step.a.d)`, `"D"`},
		{`coalesce(null, step.a.n)`, `1.0`},
		{`"${step.a.d}/x"`, `"D/x"`},
		{`"e${step.a.d}` + `"`, `"eD"`},
		{`"${step.a.c}${step.a.d}${step.a.n}"`, `"CD1.0"`},
		{`"%{ for x in step.a.l }<${x}>%{ endfor }"`, `"<D><C><z>"`},
		{`"x%{ if step.a.t }${step.a.d}%{ else }${step.a.c}%{ endif }"`, `"xD"`},
		{`join("/", [step.a.d, step.a.c, "b"])`, `"D/C/b"`},
		{`format("%s-%s", step.a.d, "x")`, `"D-x"`},
		{`formatlist("%s.txt", step.a.l)`, `["D.txt","C.txt","z.txt"]`},
		{`trimsuffix("${step.a.d}.txt", ".txt")`, `"D"`},
		{`split("/", "a/${step.a.d}/b")`, `["a","D","b"]`},
		{`replace("a/${step.a.d}", "a/", "b/")`, `"b/D"`},
		{`regex("[^/]+$", "a/${step.a.d}")`, `"D"`},
		{`upper(step.a.d)`, `"` + "\u00c9" + `"`},
		{`length(step.a.d)`, `1`},
		{`step.a.d == step.a.c`, `true`},
		{`jsonencode({ x = step.a.d, n = step.a.n })`, `"{\"n\":1.0,\"x\":\"D\"}"`},
		{`tostring(step.a.n)`, `"1.0"`},
		{`tostring(step.a.d)`, `"D"`},
		{`tonumber(step.a.n)`, `1.0`},
		{`[step.a.n, step.a.i, step.a.big, step.a.zero, step.a.small]`, `[1.0,1,1e20,-0.0,1e-5]`},
		{`"${step.a.id} ${step.a.tiny} ${step.a.nines} ${step.a.long}"`, `"-123456789012345678901234567890 -0.00000001 999999999999999999999 1234567890123456789012.5"`},
		{`"${step.a.id * 10} ${step.a.big * 10} ${step.a.tiny / 10}"`, `"-1234567890123456789012345678900 1000000000000000000000 -0.000000001"`},
		{`[tostring(step.a.id), step.a.id, step.a.id + 1]`, `["-123456789012345678901234567890",-123456789012345678901234567890,-123456789012345678901234567889]`},
		{`"${step.a.n} ${step.a.i} ${step.a.big} ${step.a.zero} ${step.a.small}"`, `"1.0 1 1e20 -0.0 1e-5"`},
		{`"${step.a.n * 1} ${step.a.i / 3 * 3} ${step.a.i * 1e30} ${step.a.i / 1e9}  ${step.a.i / 1000}"`, `"1 1 1000000000000000000000000000000 0.000000001  0.001"`},
		{`step.a.n + 0`, `1`},
		{`floor(step.a.n)`, `1`},
		{`length(step.a.fs)`, `3`},
		{`max(step.a.fs...)`, `3.0`},
		{`[for x in step.a.fs : x * 2]`, `[6,2,5]`},
		{`sort([step.a.d, "a"])`, `["a","D"]`},
		{`toset([step.a.d, "a"])`, `["a","D"]`},
		{`[for x in toset([step.a.d, "a"]) : "${x}!"]`, `["a!","D!"]`},
		{`reverse(step.a.fs)`, `[2.50,1,3.0]`},
		{`step.a.n == 1 ? 1 : 2`, `1`},
		{`[1, 2, 3][step.a.n]`, `2`},
		{`zipmap([step.a.d], [step.a.n])`, `{"D":1.0}`},
		{`step.a.l[*]`, `["D","C","z"]`},
		{`[jsonencode([[step.a.n]]...), tostring([step.a.n]...), jsondecode(["[1.0]"]...)]`, `["[1.0]","1.0",[1.0]]`},
		{`[for i, x in tolist(toset([step.a.n, 5])) : "${i}=${x}"]`, `["0=1.0","1=5"]`},
	} {
		got, err := asJSON(c.text, refs)
		if got = strings.NewReplacer(nfd, "D", nfc, "C").Replace(got); err != nil || got != c.want {
			t.Errorf("%s is %s, want %s (%v)", c.text, got, c.want, err)
		}
	}
}

// Two keys that are equal for expressions can't be read by one.
func TestTwoForms(t *testing.T) {
	for _, data := range []string{`{"` + nfd + `":1,"` + nfc + `":2}`, `[[{"` + nfc + `":1,"b":0,"` + nfd + `":2}]]`} {
		_, err := asJSON("step.a.x", map[string]string{"step.a.x": data})
		if err == nil || !strings.Contains(err.Error(), `"e\u0301"`) || !strings.Contains(err.Error(), `"\u00e9"`) || !strings.Contains(err.Error(), "equal as Unicode text") {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// anyText draws characters that NFC changes more often than others.
func anyText(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
		"a", "e", "\u0301", "\u0327", nfc, "\u212b", "\u1112", "\u1161", "\u11ab", "\ud55c", "\u0958", "\U0001d15e", "\ufb1d", `\`, `"`, "\n", "<", "${", "%{", "\u2028", "\U000f0000", "/",
	}), 0, 6).Draw(t, "text"), "")
}

func anyJSON(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind %= 4
	}
	switch kind {
	case 0, 1:
		return anyText(t)
	case 2:
		return json.Number(rapid.SampledFrom([]string{"0", "1", "-0", "1.0", "-0.0", "1.50", "1e20", "1E5", "100000000000000000000", "1e-7", "0.1", "1e-400", "12345678901234567890.1234567890"}).Draw(t, "number"))
	case 3:
		return rapid.Bool().Draw(t, "bool")
	case 4, 5:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "elements"))
		for i := range list {
			list[i] = anyJSON(t, depth-1)
		}
		return list
	}
	m := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		m[anyText(t)] = anyJSON(t, depth-1)
	}
	return m
}

func drawJSON(t *rapid.T, what string) (string, bool) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(anyJSON(t, 3)); err != nil {
		t.Fatal(err)
	}
	data, err := types.Canonical(b.Bytes(), cty.DynamicPseudoType)
	if err != nil {
		t.Fatalf("%s: %s: %v", what, b.Bytes(), err)
	}
	_, err = types.FromJSON(data, cty.DynamicPseudoType)
	return string(data), err == nil
}

// TestPassingKeepsBytes holds that values that pass through an expression come back byte for byte.
func TestPassingKeepsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, readable := drawJSON(t, "x")
		y, also := drawJSON(t, "y")
		refs := map[string]string{"step.a.x": x, "step.a.y": y}
		for _, c := range []struct{ text, want string }{
			{"step.a.x", x}, {"{ a = step.a.x, b = step.a.y }", `{"a":` + x + `,"b":` + y + `}`}, {"[step.a.x, step.a.y]", "[" + x + "," + y + "]"},
			{"[for v in [step.a.x, step.a.y] : v]", "[" + x + "," + y + "]"}, {"[[step.a.x], step.a.y][0][0]", x}, {"try(step.a.x, step.a.y)", x},
			{"{ for k, v in { p = step.a.x, q = step.a.y } : k => v }", `{"p":` + x + `,"q":` + y + `}`}, {"merge({ p = step.a.x }, { q = step.a.y })", `{"p":` + x + `,"q":` + y + `}`},
			{"concat([step.a.x], [step.a.y])", "[" + x + "," + y + "]"},
		} {
			got, err := asJSON(c.text, refs)
			if (err == nil) != (readable && also) || err == nil && got != c.want {
				t.Fatalf("%s with %s and %s is %s, want %s (%v)", c.text, x, y, got, c.want, err)
			}
		}
	})
}

// TestTemplatesKeepBytes holds the same for the strings of templates.
func TestTemplatesKeepBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := anyText(t), anyText(t)
		refs := map[string]string{"step.a.x": quote(t, x), "step.a.y": quote(t, y)}
		for _, c := range []struct{ text, want string }{
			{`"${step.a.x}"`, x}, {`"${step.a.x}${step.a.y}"`, x + y}, {`"a/${step.a.x}/${step.a.y}.txt"`, "a/" + x + "/" + y + ".txt"},
			{`"%{ for v in [step.a.x, step.a.y] }${v};%{ endfor }"`, x + ";" + y + ";"}, {`"-%{ if step.a.x == step.a.x }${step.a.x}%{ else }${step.a.y}%{ endif }"`, "-" + x},
			{`join(";", [step.a.x, step.a.y])`, x + ";" + y}, {`[step.a.x, step.a.y][1]`, y}, {`true ? step.a.x : step.a.y`, x}, {`false ? step.a.x : step.a.y`, y},
			{`format("%s=%s", step.a.x, step.a.y)`, x + "=" + y},
		} {
			got, err := asJSON(c.text, refs)
			if strings.Contains(x+y, "\U000f0000") && (strings.HasPrefix(c.text, "join") || strings.HasPrefix(c.text, "format")) {
				continue
			}
			if err != nil || got != quote(t, c.want) {
				t.Fatalf("%s with %+q and %+q is %+q, want %+q (%v)", c.text, x, y, got, c.want, err)
			}
		}
	})
}

func quote(t *rapid.T, s string) string {
	data, err := types.ToJSON(types.StringVal(s))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
