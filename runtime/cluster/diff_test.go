package cluster

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func value(t testing.TB, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// lines formats fields as PATH: BEFORE -> AFTER.
func lines(fields []Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Path+": "+string(f.Before)+" -> "+string(f.After))
	}
	return strings.Join(out, "\n")
}

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"the same", `{"a": [1, {"b": null}]}`, `{"a": [1, {"b": null}]}`, ""},
		{"a value", `{"a": {"b": 1}}`, `{"a": {"b": 2}}`, "a.b: 1 -> 2"},
		{"new and gone", `{"a": 1, "b": {"c": 2}}`, `{"b": {"d": 3}}`, "a: 1 -> \nb.c: 2 -> \nb.d:  -> 3"},
		{"keys that need quotes", `{}`, `{"a.b/c": 1, "": 2, "d": {"e f": 3}}`, "[\"\"]:  -> 2\n[\"a.b/c\"]:  -> 1\nd[\"e f\"]:  -> 3"},
		{"a list by name", `[{"name": "a", "v": 1}, {"name": "b", "v": 1}]`, `[{"name": "b", "v": 2}, {"name": "c"}]`,
			"[\"b\"].v: 1 -> 2\n[\"c\"].name:  -> \"c\"\n[\"a\"].name: \"a\" -> \n[\"a\"].v: 1 -> "},
		{"a list by name in another order", `[{"name": "a"}, {"name": "b"}]`, `[{"name": "b"}, {"name": "a"}]`, ""},
		{"names that come twice", `[{"name": "a"}, {"name": "a", "v": 1}]`, `[{"name": "a"}, {"name": "a", "v": 2}]`, "[1].v: 1 -> 2"},
		{"words of a command", `["sh", "-c", "a"]`, `["sh", "-c", "b"]`, "[2]: \"a\" -> \"b\""},
		{"more words", `["a"]`, `["a", "b"]`, ": [\"a\"] -> [\"a\",\"b\"]"},
		{"objects without names", `[{"a": 1}]`, `[{"a": 1}, {"a": 2}]`, "[1].a:  -> 2"},
		{"another kind of value", `{"a": {"b": 1}}`, `{"a": [1]}`, "a: {\"b\":1} -> [1]"},
		{"empty", `{"a": {}}`, `{"a": []}`, "a: {} -> []"},
		{"an empty one appears", `{}`, `{"a": {}}`, "a:  -> {}"},
		{"from nothing", ``, `{"a": {"b": [1, 2]}}`, "a.b:  -> [1,2]"},
		{"no HTML", `{"a": 1}`, `{"a": "<&>"}`, `a: 1 -> "<&>"`},
		{"null and absent are one", `{"a": null}`, `{}`, ""},
	} {
		if got := lines(Diff(value(t, c.before), value(t, c.after))); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// jsons generates values as encoding/json decodes them.
func jsons(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]string{"a", "b", "c", ""}), func(s string) any { return s }),
		rapid.Map(rapid.IntRange(0, 3), func(n int) any { return float64(n) }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
	)
	if depth == 0 {
		return leaf
	}
	inner := jsons(depth - 1)
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"name", "x", "y", "z.z"}), inner, 0, 4), func(m map[string]any) any { return m }),
	)
}

// A value has no differences to itself, differences are symmetric, and Whole is Diff and the equal values.
func TestDiffOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := jsons(4).Draw(t, "a"), jsons(4).Draw(t, "b")
		if d := Diff(a, a); len(d) > 0 {
			t.Fatalf("%v differs from itself: %s", a, lines(d))
		}
		forth, back := Diff(a, b), Diff(b, a)
		if len(forth) == 0 && !reflect.DeepEqual(unordered(a), unordered(b)) {
			t.Fatalf("no difference between %v and %v", a, b)
		}
		seen := map[string]Field{}
		for _, f := range forth {
			seen[f.Path] = f
		}
		for _, f := range back {
			if o, ok := seen[f.Path]; !ok || string(o.Before) != string(f.After) || string(o.After) != string(f.Before) {
				t.Fatalf("%s is not the other side of\n%s", lines(back), lines(forth))
			}
		}
		if len(back) != len(forth) || !reflect.DeepEqual(changed(Whole(a, b)), forth) {
			t.Fatalf("%s and %s", lines(back), lines(forth))
		}
	})
}

// unordered normalizes what Diff treats as equal: the order of lists with names.
func unordered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = unordered(e)
		}
		return out
	case []any:
		if len(v) > 0 && byName(v) {
			out := map[string]any{}
			for _, e := range v {
				out[nameOf(e)] = unordered(e)
			}
			return out
		}
		out := []any{}
		for _, e := range v {
			out = append(out, unordered(e))
		}
		return out
	}
	return v
}
