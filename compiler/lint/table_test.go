package lint

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestDeprecatedFields compares the table with the comments of Kubernetes' types: it has exactly the fields reachable from
// a PodSpec that are called deprecated there.
func TestDeprecatedFields(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", "{{.Dir}}", "k8s.io/api/core/v1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	dir, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "types.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	reachable(reflect.TypeFor[corev1.PodSpec](), types)
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !types[spec.Name.Name] {
			return true
		}
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range fields.Fields.List {
			if f.Tag == nil || f.Doc == nil || !deprecatedText(f.Doc.Text()) {
				continue
			}
			tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
			name, _, _ := strings.Cut(tag, ",")
			found[spec.Name.Name+"."+name] = true
		}
		return true
	})
	if len(found) == 0 {
		t.Fatal("the types have no deprecated field: are they read at all?")
	}
	want, got := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(deprecatedFields))
	if !slices.Equal(want, got) {
		t.Errorf("the types say\n%s\nand the table\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

// deprecatedText reports whether a comment has the form that Go and Kubernetes use for deprecation, with either mark after
// the word.
func deprecatedText(doc string) bool {
	return slices.ContainsFunc(strings.Split(doc, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "Deprecated:") || strings.HasPrefix(line, "Deprecated.") || strings.HasPrefix(line, "DEPRECATED:")
	})
}

func reachable(t reflect.Type, seen map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() != "k8s.io/api/core/v1" || seen[t.Name()] {
		return
	}
	seen[t.Name()] = true
	for i := range t.NumField() {
		reachable(t.Field(i).Type, seen)
	}
}

// TestSortedRules checks the order of the rules.
func TestSortedRules(t *testing.T) {
	for _, list := range [][]*Rule{rules, aboutIgnores} {
		if !slices.IsSortedFunc(list, func(a, b *Rule) int { return strings.Compare(a.Code, b.Code) }) {
			t.Error("the rules are not sorted by code")
		}
	}
}

// TestCut: a name that is changed but not cut isn't reported.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		name, made string
		want       bool
	}{
		{"train", "train", false},
		{"kubernetes_example_pipeline", "kubernetes-example-pipeline-ccf38d11", false},
		{"Train_", "train-01234567", false},
		{strings.Repeat("a", 60), strings.Repeat("a", 40) + "-01234567", true},
	} {
		if got := cut(c.name, c.made); got != c.want {
			t.Errorf("%s made %s: %v", c.name, c.made, got)
		}
	}
}
