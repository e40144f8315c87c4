package pipec_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/kinds"
)

// rows are the folders of what belongs to one kind of orchestrator or store. The rest of the code looks kinds up in tables,
// so that a new kind takes new rows and no change of other code.
var rows = regexp.MustCompile(`^(schema/kinds|runtime/store/[^/]+|internal/app/orchestrator/[^/]+)/`)

// apart are folders whose kinds are other things: modules of their own, and data of tests.
var apart = []string{".git", "testdata", "tools", "test", "examples", "docs"}

// ofStack matches an expression that is the kind of a stack's orchestrator or store, whatever it is compared with.
var ofStack = regexp.MustCompile(`(Orchestrator|Store)\.Kind$`)

// kindLike matches an expression that may be such a kind, if it is compared with the name of one.
var kindLike = regexp.MustCompile(`(\.Kind|(^|\.)kind)$`)

// TestKindsAreLookedUp: no code but that of a row compares the kind of an orchestrator or a store with a literal.
func TestKindsAreLookedUp(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(apart, path):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || rows.MatchString(filepath.ToSlash(path)):
			return nil
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, at := range comparedKinds(f) {
			t.Errorf("%s: a kind is compared with a literal: look it up in a table (see docs/architecture.md)", files.Position(at))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// comparedKinds returns where a file compares the kind of an orchestrator or a store with a literal: by ==, != or a switch.
func comparedKinds(f *ast.File) []token.Pos {
	set := kinds.Builtin()
	known := []string{"gs", "az"} // such as another kind would be named
	for _, o := range set.Orchestrators {
		known = append(known, o.Kind)
	}
	for _, s := range set.Stores {
		known = append(known, s.Kind)
	}
	constants := map[string]string{} // of the file
	literal := func(e ast.Expr) (string, bool) {
		switch e := e.(type) {
		case *ast.BasicLit:
			text, err := strconv.Unquote(e.Value)
			return text, err == nil && e.Kind == token.STRING
		case *ast.Ident:
			text, ok := constants[e.Name]
			return text, ok
		}
		return "", false
	}
	compared := func(x, y ast.Expr) bool {
		text, ok := literal(y)
		name := selector(x)
		return ok && text != "" && (ofStack.MatchString(name) || kindLike.MatchString(name) && slices.Contains(known, text))
	}
	var out []token.Pos
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, v := range n.Values {
				if text, ok := literal(v); ok && i < len(n.Names) {
					constants[n.Names[i].Name] = text
				}
			}
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && (compared(n.X, n.Y) || compared(n.Y, n.X)) {
				out = append(out, n.Pos())
			}
		case *ast.SwitchStmt:
			for _, c := range n.Body.List {
				for _, v := range c.(*ast.CaseClause).List {
					if n.Tag != nil && compared(n.Tag, v) {
						out = append(out, v.Pos())
					}
				}
			}
		}
		return true
	})
	return out
}

// selector returns an expression of names and dots as text: "stack.Orchestrator.Kind"; "" for others.
func selector(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return selector(e.X) + "." + e.Sel.Name
	case *ast.ParenExpr:
		return selector(e.X)
	}
	return ""
}

// TestComparedKinds: the check finds each form of a comparison.
func TestComparedKinds(t *testing.T) {
	for body, want := range map[string]int{
		`s.Orchestrator.Kind == "local"`:     1,
		`"mock" != stack.ArtifactStore.Kind`: 1,
		`p.Target.Store.Kind == gcs`:         1,
		`own.Kind == "s3"`:                   1,
		`kind == "kubernetes"`:               1,
		`(f().Kind) == "s3"`:                 1,
		`row.Kind == s.Orchestrator.Kind`:    0,
		`a.Kind == "directory"`:              0,
		`s.Orchestrator.Kind != ""`:          0,
		`func() bool { switch o.Kind { case "x", "local": }; return true }()`: 1,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", fmt.Sprintf("package x\n\nconst gcs = \"gcs\"\n\nvar x = %s\n", body), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := comparedKinds(f); len(got) != want {
			t.Errorf("%s: found %d, expected %d", body, len(got), want)
		}
	}
}
