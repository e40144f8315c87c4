package compiler_test

import (
	"fmt"
	"slices"
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/schema/language"
)

// TestNullLeavesOut gives null to every optional attribute of the table: as a literal, and as the value of a variable and of a
// conditional. The result is the same as without the attribute.
func TestNullLeavesOut(t *testing.T) {
	checked := 0
	for _, b := range language.Root().Blocks {
		eachAttribute(b, func(s string) string { return s }, func(a *language.Attribute, fits bool, place func(string) string) {
			if !a.Omittable() || !fits || b.Name == "locals" {
				return
			}
			want := summary(place(""))
			values := []string{"null", "(null)"}
			if a.Short == nil && a.Kind != language.Type && a.Kind != language.Refs && (a.Kind != language.Ref || a.Type != "") {
				values = append(values, "var.none", "local.none", "var.none == null ? null : var.none", "lookup({}, \"a\", null)")
			}
			for _, value := range values {
				src := place(a.Name + " = " + value + "\n")
				if got := summary(src); !slices.Equal(got, want) {
					t.Errorf("%s\ngives %q\nwithout the attribute: %q", src, got, want)
				}
				checked++
			}
		})
	}
	if checked < 400 {
		t.Errorf("only %d values were tried", checked)
	}
}

// summary returns the programs of a source and what is reported about it, except for ranges.
func summary(src string) []string {
	src += "variable \"none\" {\n type = string\n default = null\n}\nlocals {\n none = null\n used = [var.none, local.none]\n}\n" +
		"pipeline \"uses\" {\n step \"a\" { command = [\"echo\", jsonencode(local.used)] }\n}\n"
	r := compiler.Source("main.pipec.hcl", []byte(src), compiler.Options{Dir: "."})
	var out []string
	for _, d := range r.Diags.Sorted() {
		out = append(out, fmt.Sprintf("%s: %s %s", d.Code, d.Summary, d.Detail))
	}
	for _, p := range r.Programs {
		data, err := p.Encode()
		if err != nil {
			out = append(out, err.Error())
		}
		out = append(out, string(data))
	}
	slices.Sort(out)
	return out
}
