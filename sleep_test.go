package pipec_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maySleep are the test files that may sleep outside of a synctest bubble, and why. Each must need it.
var maySleep = map[string]string{
	"runtime/kube/approval_cluster_test.go": "it polls pods of the test cluster",
	"runtime/kube/cutoff_test.go":           "its tests and pods run in the bubbles of inBubble",
	"runtime/kube/takeover_test.go":         "its tests and pods run in the bubbles of inBubble",
	"runtime/kube/faults_test.go":           "its kubelet runs in the bubbles of the tests that start it",
	"runtime/kube/groups_test.go":           "its pods run in the bubbles of the tests that start them",
}

// TestNoSleep holds that tests don't call time.Sleep, except in the function literal that synctest.Test runs: a sleep that is
// too short fails on a busy machine, and one that is long enough is slow. Tests wait for events instead; those of real
// processes and clusters use internal/eventually.
func TestNoSleep(t *testing.T) {
	needed := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		found, err := sleeps(name, nil)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		needed[name] = len(found) > 0
		if maySleep[name] != "" {
			return nil
		}
		for _, place := range found {
			t.Errorf("%s: time.Sleep outside of synctest.Test: wait for an event, or use internal/eventually", place)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range maySleep {
		if !needed[name] {
			t.Errorf("%s doesn't sleep: remove it from maySleep", name)
		}
	}
}

// sleeps returns the positions of the calls of time.Sleep in a file of Go that are not in an argument of synctest.Test.
// The source is read from the file if src is nil.
func sleeps(name string, src any) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var out []string
	for node := range ast.Preorder(file) {
		if call, ok := node.(*ast.SelectorExpr); ok && isName(call, "time", "Sleep") && !inBubble(file, call.Pos()) {
			at := files.Position(call.Pos())
			out = append(out, fmt.Sprintf("%s:%d", at.Filename, at.Line))
		}
	}
	return out, nil
}

// inBubble reports whether a position is in an argument of synctest.Test.
func inBubble(file *ast.File, pos token.Pos) bool {
	for node := range ast.Preorder(file) {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			continue
		}
		if fun, ok := call.Fun.(*ast.SelectorExpr); ok && isName(fun, "synctest", "Test") && call.Pos() <= pos && pos < call.End() {
			return true
		}
	}
	return false
}

func isName(e *ast.SelectorExpr, pkg, name string) bool {
	x, ok := e.X.(*ast.Ident)
	return ok && x.Name == pkg && e.Sel.Name == name
}

// TestSleeps: sleeps of each kind.
func TestSleeps(t *testing.T) {
	const src = `package x
func TestA(t *testing.T) {
	time.Sleep(1)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(2)
		go func() { time.Sleep(3) }()
	})
	for ; ; time.Sleep(4) {
	}
}
var pause = time.Sleep
func helper() { other.Sleep(5); synctest.Wait(); time.After(6) }
`
	got, err := sleeps("x_test.go", src)
	if want := []string{"x_test.go:3", "x_test.go:8", "x_test.go:11"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}
