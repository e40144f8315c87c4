package compiler_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/schema/language"
)

// hole is where a place has its expression.
const hole = "$X"

// places returns a source for each attribute of the language, in which hole is its value, alone and inside of a list or an
// object.
func places() []string {
	var out []string
	for _, b := range language.Root().Blocks {
		out = append(out, placesIn(b, func(inner string) string { return inner })...)
	}
	out = append(out,
		"locals {\n x = $X\n}\npipeline \"p\" {\n step \"s\" {\n  command = [\"${jsonencode(local.x)}\"]\n }\n}\n",
		"variable \"v\" {\n default = $X\n validation {\n  condition = $X\n  error_message = $X\n }\n}\npipeline \"p\" {\n step \"s\" {\n  for_each = $X\n  command = [\"a\", each.key, each.value]\n }\n}\n",
		"pipeline \"p\" {\n step \"a\" {\n  command = [\"a\"]\n  output \"o\" { type = any }\n }\n step \"s\" {\n  for_each = step.a.o\n  command = [\"a\", each.key, jsonencode([each.value, $X])]\n  when = $X == step.a.o\n }\n}\n",
		"pipeline \"p\" {\n step \"s\" {\n  for_each = toset([\"a\", \"b\"])\n  command = [\"a\"]\n  labels = { l = $X, k = each.value }\n  resources { memory = $X }\n }\n}\n",
	)
	return out
}

// placesIn returns the places of a block, which around puts into the blocks that contain it.
func placesIn(b *language.Block, around func(string) string) []string {
	var out []string
	eachAttribute(b, around, func(a *language.Attribute, _ bool, place func(string) string) {
		for _, value := range []string{hole, "[" + hole + "]", "[{ a = " + hole + " }]", "{ a = " + hole + " }", "{ (" + hole + ") = [" + hole + "] }", "\"a${" + hole + "}\""} {
			out = append(out, place(a.Name+" = "+value+"\n"))
		}
	})
	return out
}

// eachAttribute calls yield with each attribute of a block and of the blocks inside, and with a function that puts a text in its place. fits: the
// attribute belongs to a block with the label that the source has. The
// source around the text has what the blocks require, except for the attribute. around puts the block into those that contain it.
func eachAttribute(b *language.Block, around func(string) string, yield func(a *language.Attribute, fits bool, place func(text string) string)) {
	head := b.Name
	label := ""
	if b.Label != "" {
		if label = "n"; len(b.Labels) > 0 {
			label = b.Labels[0]
		}
		head += fmt.Sprintf(" %q", label)
	}
	within := func(inner string, except string) string {
		var s strings.Builder
		s.WriteString(head + " {\n")
		for _, a := range b.Attributes {
			if a.Required && a.Name != except && a.For(label) {
				fmt.Fprintf(&s, "%s = %s\n", a.Name, filler(a))
			}
		}
		if b.Name == "step" && except != "command" && except != "python" && except != "pipeline" && !strings.HasPrefix(inner, "approval") {
			s.WriteString("command = [\"true\"]\n")
		}
		return around(s.String() + inner + "}\n")
	}
	for _, a := range b.Attributes {
		yield(a, a.For(label), func(text string) string { return within(text, a.Name) })
	}
	for _, inner := range b.Blocks {
		if inner.Name != b.Name {
			eachAttribute(inner, func(s string) string { return within(s, "") }, yield)
		}
	}
}

// filler returns a valid value of a required attribute.
func filler(a *language.Attribute) string {
	formats := map[string]string{"duration": "5s", "quantity": "1", "cron": "0 0 * * *", "timezone": "UTC", "path": "."}
	switch {
	case len(a.OneOf) > 0:
		return fmt.Sprintf("%q", a.OneOf[0])
	case formats[a.Format] != "":
		return fmt.Sprintf("%q", formats[a.Format])
	case strings.HasPrefix(a.Type, "list"):
		return `["a"]`
	case strings.HasPrefix(a.Type, "map"), a.Type == "any":
		return `{ a = "b" }`
	case a.Type == "string":
		return `"a"`
	case a.Type == "number":
		return "1"
	case a.Type == "bool":
		return "true"
	}
	return "any"
}

// odd are arguments that functions and attributes rarely get.
var odd = []string{
	`1.0`, `-0.0`, `[1, 1.0, 1.00]`, `{ a = 1e20, b = 2.50 }`, `jsondecode("[1.0]")`, `null`, `""`, `[]`, `{}`, `[null]`, `{ a = null }`, `[[], [null], {}]`, `["a", 1, null, true]`, `-1`, `0`, `0.5`, `1e400`, `-1e-400`, `99999999999999999999`, `true`,
	`"a"`, `"1"`, `"é"`, "\"e\u0301\"", `"\u0000\u0007\uFEFF"`, `"👩‍👩‍👧\u202E"`, `["a", "b"]`, `{ a = 1, b = [2] }`, "{ \"\u00e9\" = 1, \"e\u0301\" = 2 }",
	`tolist([])`, `tomap({})`, `toset([])`, `toset(["a", null])`, `tolist([null, null])`, `tomap({ a = null })`, `[{ a = 1 }, { b = 2 }]`, `[for x in [null] : x]`, `tostring(null)`, `tonumber(null)`,
	`[["a"], ["b", null]]`, `{ a = { b = { c = null } } }`, `1 / 3`, `"%d %s %v"`, `"(?P<a>.)(b)?"`, `"[a\n"`, `"2006-01-02T15:04:05Z"`, `"{\"a\":[null,1e999]}"`, `"a,b\n1,2"`,
}

// oddExpression returns a call with odd arguments, possibly inside of other expressions.
func oddExpression(r *rand.Rand, functions []string, depth int) string {
	arg := func() string {
		if depth > 0 && r.IntN(3) == 0 {
			return oddExpression(r, functions, depth-1)
		}
		return odd[r.IntN(len(odd))]
	}
	switch r.IntN(12) {
	case 0:
		return fmt.Sprintf("[for k, v in %s : v if %s]", arg(), arg())
	case 1:
		return fmt.Sprintf("{ for k, v in %s : k => v... }", arg())
	case 2:
		return fmt.Sprintf("{ for v in %s : v => %s }", arg(), arg())
	case 3:
		return fmt.Sprintf("(%s ? %s : %s)", arg(), arg(), arg())
	case 4:
		return fmt.Sprintf("(%s)[%s]", arg(), arg())
	case 5:
		return fmt.Sprintf("(%s)[*].a", arg())
	case 6:
		return fmt.Sprintf("(%s %s %s)", arg(), []string{"==", "!=", "<", "+", "%", "/", "&&", "||"}[r.IntN(8)], arg())
	case 7:
		return fmt.Sprintf("\"${%s}-%%{ for x in %s }${x}%%{ endfor }\"", arg(), arg())
	case 8:
		return arg()
	}
	args := make([]string, 1+r.IntN(4))
	for i := range args {
		args[i] = arg()
	}
	expand := ""
	if r.IntN(6) == 0 {
		expand = "..."
	}
	return functions[r.IntN(len(functions))] + "(" + strings.Join(args, ", ") + expand + ")"
}

// everyRule switches every rule of the linter on.
func everyRule() lint.Options {
	o := lint.Options{Levels: lint.Levels{}}
	for _, r := range lint.All() {
		o.Levels[r.Code] = lint.Warning
	}
	return o
}

// sound compiles and lints a source. It fails if a part of pipec panicked, also if that has become a diagnostic.
func sound(t *testing.T, dir, src string) {
	t.Helper()
	const name = "main.pipec.hcl"
	r := compiler.Source(name, []byte(src), compiler.Options{Dir: dir})
	if len(r.Sources) == 0 {
		t.Fatalf("no source was read:\n%s", src)
	}
	ds := r.Lint(everyRule()).Diags
	for _, d := range ds {
		if d.Code == "internal" || strings.Contains(d.Summary+d.Detail, "panic") {
			t.Errorf("%s: %s\n%s", d.Summary, d.Detail, src)
		}
		inside(t, d, []byte(src))
	}
	if err := diag.Human(&bytes.Buffer{}, diag.NewView(ds, r.Sources), diag.Options{}); err != nil {
		t.Error(err)
	}
	for _, p := range r.Programs {
		if _, err := p.Encode(); err != nil {
			t.Errorf("%v\n%s", err, src)
		}
	}
}

// TestOddValues puts odd values and calls with odd arguments into every place of the language.
func TestOddValues(t *testing.T) {
	all := places()
	if len(all) < 500 {
		t.Fatalf("only %d places", len(all))
	}
	functions := evaluate.Names(evaluate.Functions("."))
	r := rand.New(rand.NewPCG(1, 2))
	n := 5
	if testing.Short() {
		n = 1
	}
	for _, place := range all {
		for range n {
			sound(t, ".", strings.ReplaceAll(place, hole, oddExpression(r, functions, 1)))
			sound(t, ".", strings.ReplaceAll(place, hole, odd[r.IntN(len(odd))]))
		}
	}
}

// FuzzOddValues puts a call with odd arguments, or any text, into any place of the language.
func FuzzOddValues(f *testing.F) {
	all, functions := places(), evaluate.Names(evaluate.Functions("."))
	for i := range 50 {
		f.Add(uint16(i*13), uint64(i), "")
	}
	for i, text := range []string{`contains(["a"], null)`, `[for x in ["a", null] : x if contains(["a"], x)]`, `contains(["small"], null) ? 1 : 2`} {
		f.Add(uint16(i), uint64(0), text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, place uint16, seed uint64, text string) {
		if len(text) > 1<<12 {
			return
		}
		if text == "" {
			text = oddExpression(rand.New(rand.NewPCG(seed, uint64(place))), functions, 3)
		}
		sound(t, dir, strings.ReplaceAll(all[int(place)%len(all)], hole, text))
	})
}
