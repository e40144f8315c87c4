package expr_test

import (
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/expr"
)

// maxTree bounds the depth of a tree that the gate lets through: brackets, signs and operators, each of which is a few
// levels.
const maxTree = 4 * (expr.MaxNesting + expr.MaxSigns + expr.MaxOperators + expr.MaxControls)

// maxStack is what a goroutine's stack may grow to in these tests, far below the 1 GB at which the process ends.
const maxStack = 128 << 20

// TestGateRefuses holds that what would make the parser recurse without end is refused at every position.
func TestGateRefuses(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(maxStack))
	for _, fragment := range []string{
		"[", "(", "{", "{a=", "f(", "[for x in ", "!", "-", "- ", "a?", "a ? b : ", "1+", "a.b ", "a[", "\"${", "\"%{if a}", "<<E\n${", "x[*].", "a==",
		"b {\n", "b \"l\" {\n", "\"${\"", "!(", "-[", "a?(", "\t-\n", "-/**/", "--", "- -", "a%", "é-", "a||!", "a$", "line\n", "%%{",
	} {
		for _, where := range []string{"%s", "a = %s", "a = [1, %s", "a = \"${%s", "b {\n  a = %s", "a = <<E\n${%s", "a = f(\n%s"} {
			text := fmt.Sprintf(where, strings.Repeat(fragment, 100_000/len(fragment)))
			if r := expr.Gate([]byte(text)); r == nil {
				parses(t, text)
			}
			if r := expr.GateExpression([]byte(text)); r == nil {
				_, _ = hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
			}
			if r := expr.GateTemplate([]byte(text)); r == nil {
				_, _ = hclsyntax.ParseTemplate([]byte(text), "", hcl.InitialPos)
			}
		}
	}
}

// TestGateLets holds that what is long and not deep goes through.
func TestGateLets(t *testing.T) {
	for name, text := range map[string]string{
		"negative numbers":         "a = [" + strings.Repeat("-1, ", 5000) + "]\n",
		"negative numbers, lines":  "a = [\n" + strings.Repeat("  -1,\n", 5000) + "]\n",
		"negations in an object":   "a = {\n" + strings.Repeat("  x = !true\n", 5000) + "}\n",
		"dashes in a string":       `a = "` + strings.Repeat("-", 300) + "\"\n",
		"brackets in a string":     `a = "` + strings.Repeat("[{(", 3000) + "\"\n",
		"a long template":          `a = "` + strings.Repeat("x ${b} - ", 5000) + "\"\n",
		"a long heredoc":           "a = <<E\n" + strings.Repeat("- [ { ${b} !\n", 5000) + "E\n",
		"dashes in a comment":      "# " + strings.Repeat("-", 3000) + "\n// " + strings.Repeat("(", 3000) + "\n/* " + strings.Repeat("[", 3000) + " */\n",
		"many blocks":              strings.Repeat("b \"l\" {\n  a = -1\n}\n", 20000),
		"many attributes":          strings.Repeat("a = b ? -1 : !c\n", 20000),
		"many calls":               "a = [" + strings.Repeat("f(-1, [b ? 1 : 2]), ", 5000) + "]\n",
		"names with dashes":        "a = [" + strings.Repeat("a-b-c-d, ", 5000) + "]\n",
		"names in another script":  "größe = [" + strings.Repeat("東京, ", 5000) + "]\n",
		"nested 200 deep":          "a = " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n",
		"a sum of 2000":            "a = " + strings.Repeat("1 + ", 2000) + "1\n",
		"conditions of 200":        "a = " + strings.Repeat("b ? 1 : ", 200) + "2\n",
		"an escaped quote":         `a = "\"[[[\\"` + "\n" + strings.Repeat("b = [1]\n", 1000),
		"an escaped interpolation": `a = "` + strings.Repeat("$${ %%{ ", 3000) + "\"\n",
		"carriage returns":         strings.Repeat("a = -1\r\n", 5000),
		"a mark":                   "\ufeffa = 1\n",
	} {
		if r := expr.Gate([]byte(text)); r != nil {
			t.Errorf("%s: %s at line %d", name, r.Why, r.Pos.Line)
		}
	}
}

// FuzzGate builds long texts from repeated fragments. What the gate lets through must parse to a tree of bounded depth,
// within a stack of bounded size: a stack that overflows ends the process, which the fuzzer records.
func FuzzGate(f *testing.F) {
	for _, s := range [][4]string{
		{"a = ", "[", "1", "]"}, {"a = ", "-", "1", ""}, {"a = ", "b ? ", "1", " : 2"}, {"", "b {\n", "", "}\n"}, {"a = \"", "${\"", "", "\"}"},
		{"a = \"", "%{if a}", "", "%{endif}"}, {"a = <<E\n", "${f(", "1", ")}"}, {"a = ", "{ b = ", "1", "}"}, {"a = ", "[for x in ", "b", " : x]"},
		{"a = ", "x.y[*].", "z", ""}, {"a = [", "-1,", "2", "]"}, {"a = ", "é-", "1", ""}, {"a = \"", "$${", "", ""}, {"a = ", "1e", "9", ""}, {"", "/*", "", "*/"},
		{"a = ", "b[", "0", "]"}, {"a = ", "!\n", "b", ""}, {"a = (", "1\n+", "1", ")"}, {"a = ", "f(b...", "", ")"}, {"", "a \"b\" ", "{\n", "}"},
	} {
		f.Add(s[0], s[1], s[2], s[3], uint32(100_000))
	}
	f.Fuzz(func(t *testing.T, head, open, middle, closing string, size uint32) {
		if len(head)+len(middle) > 1000 || len(open) == 0 || len(open) > 100 || len(closing) > 100 {
			return
		}
		defer debug.SetMaxStack(debug.SetMaxStack(maxStack))
		n := int(size%300_000) / (len(open) + len(closing))
		text := head + strings.Repeat(open, n) + middle + strings.Repeat(closing, n) + "\n"
		if expr.Gate([]byte(text)) == nil {
			parses(t, text)
		}
		if expr.GateExpression([]byte(text)) == nil {
			node, _ := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
			bounded(t, node)
		}
		if expr.GateTemplate([]byte(text)) == nil {
			node, _ := hclsyntax.ParseTemplate([]byte(text), "", hcl.InitialPos)
			bounded(t, node)
		}
	})
}

func parses(t *testing.T, text string) {
	t.Helper()
	file, _ := hclsyntax.ParseConfig([]byte(text), "", hcl.InitialPos)
	if file != nil {
		bounded(t, file.Body.(*hclsyntax.Body))
	}
}

// depth counts how deep a walk is.
type depth struct{ now, most int }

func (d *depth) Enter(hclsyntax.Node) hcl.Diagnostics {
	d.now++
	d.most = max(d.most, d.now)
	return nil
}

func (d *depth) Exit(hclsyntax.Node) hcl.Diagnostics { d.now--; return nil }

func bounded(t *testing.T, node hclsyntax.Node) {
	t.Helper()
	if node == nil {
		return
	}
	var d depth
	_ = hclsyntax.Walk(node, &d)
	if d.most > maxTree {
		t.Fatalf("the tree is %d deep", d.most)
	}
}
