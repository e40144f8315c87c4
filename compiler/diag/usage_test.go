package diag

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestCodesUsed reads the source of everything that makes diagnostics: a code that is used there and is missing in the
// table would have neither severity nor documentation.
func TestCodesUsed(t *testing.T) {
	found := 0
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				if entry == nil {
					return nil // there is no such folder yet
				}
				return err
			}
			if !strings.HasSuffix(path, ".go") {
				return nil
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil // the compiler says it better
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) < 3 || !isNew(file.Name.Name, call.Fun) {
					return true
				}
				if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					found++
					if code, err := strconv.Unquote(lit.Value); err != nil || !known(code) {
						t.Errorf("%s: %s is not in Codes", set.Position(lit.Pos()), lit.Value)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("no use of New was found: this test looks in the wrong place")
	}
}

// isNew reports whether f is New of this package.
func isNew(pkg string, f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.Ident:
		return pkg == "diag" && f.Name == "New"
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == "diag" && f.Sel.Name == "New"
	}
	return false
}

func known(code string) bool { _, ok := Lookup(code); return ok }
