package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

func packed(t *testing.T, s store.Store, dir string, exclude ...string) (record.Artifact, string) {
	t.Helper()
	ctx := context.Background()
	a, err := store.Pack(ctx, s, store.Bundle{Dir: dir, Project: dir, Exclude: exclude})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := store.ReadTree(ctx, s, a)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range tree.Files {
		names = append(names, f.Path)
	}
	return a, strings.Join(names, " ")
}

func TestPack(t *testing.T) {
	s := open(t)
	dir := layout(t, t.TempDir(), "main.py=1", "pkg/a.py=2", "pkg/__pycache__/a.pyc=3", ".git/HEAD=4", "data/x/big.csv=5",
		"data/y.csv=6", "node_modules/m/i.js=7", "x.pyc=8", ".venv/bin/python=9", "*run.sh=a", "data/keep.txt=b")
	a, names := packed(t, s, dir)
	if want := "data/keep.txt data/x/big.csv data/y.csv main.py pkg/a.py run.sh"; names != want {
		t.Errorf("packed %s", names)
	}
	for _, c := range []struct{ exclude, want string }{
		{"*.csv", "data/keep.txt main.py pkg/a.py run.sh"},
		{"data", "main.py pkg/a.py run.sh"},
		{"data/", "main.py pkg/a.py run.sh"},
		{"data/*.csv", "data/keep.txt data/x/big.csv main.py pkg/a.py run.sh"},
		{"data/**/*.csv", "data/keep.txt main.py pkg/a.py run.sh"},
		{"./pkg/a.py", "data/keep.txt data/x/big.csv data/y.csv main.py run.sh"},
		{"a.py", "data/keep.txt data/x/big.csv data/y.csv main.py run.sh"},
	} {
		if _, names := packed(t, s, dir, c.exclude); names != c.want {
			t.Errorf("without %s: %s", c.exclude, names)
		}
	}
	// Elsewhere, made in another order, at another time: the same digest.
	other := layout(t, t.TempDir(), "data/keep.txt=b", "*run.sh=a", "pkg/a.py=2", "main.py=1", "data/y.csv=6", "data/x/big.csv=5", ".git/HEAD=other")
	if b, _ := packed(t, s, other); b != a {
		t.Errorf("%+v and %+v", a, b)
	}
	write(t, filepath.Join(other, "main.py"), "changed")
	if b, _ := packed(t, s, other); b.Digest == a.Digest {
		t.Error("a change doesn't change the digest")
	}
}

// A pattern leaves out a name in either of its Unicode forms.
func TestPackForms(t *testing.T) {
	const one, two = "\u00e9", "e\u0301" // é as one character and as two
	s := open(t)
	dir := layout(t, t.TempDir(), "main.py=1", two+".csv=2", "a/"+two+"/x.csv=3", one+"1=4")
	for _, c := range []struct{ exclude, want string }{
		{one + ".csv", "a/" + two + "/x.csv main.py " + one + "1"},
		{two + ".csv", "a/" + two + "/x.csv main.py " + one + "1"},
		{"?.csv", "main.py " + one + "1"},
		{"a/" + one, two + ".csv main.py " + one + "1"},
		{"a/" + one + "/*.csv", two + ".csv main.py " + one + "1"},
		{two + "?", "a/" + two + "/x.csv " + two + ".csv main.py"},
	} {
		want := strings.Fields(c.want)
		slices.Sort(want)
		_, names := packed(t, s, dir, c.exclude)
		got := strings.Fields(names)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("without %+q: %+q, want %+q", c.exclude, got, want)
		}
	}
}

func TestPackFaults(t *testing.T) {
	ctx, s := context.Background(), open(t)
	dir := layout(t, t.TempDir(), "d/out -> ../../secret", "f=1")
	many := t.TempDir()
	for i := range store.MaxCodeFiles + 1 {
		write(t, filepath.Join(many, fmt.Sprint(i)), "")
	}
	for _, c := range []struct {
		dir, pattern string
		want         []string
	}{
		{filepath.Join(dir, "none"), "", []string{"none", "no such directory"}},
		{filepath.Join(dir, "f"), "", []string{"is not a directory"}},
		{many, "", []string{many, "more than 20000 files", "`exclude`"}},
		{dir, "[", []string{`"["`, "not a pattern"}},
		{dir, "", []string{"d/out", "leads out of the directory", dir}},
	} {
		var exclude []string
		if c.pattern != "" {
			exclude = []string{c.pattern}
		}
		_, err := store.Pack(ctx, s, store.Bundle{Dir: c.dir, Exclude: exclude})
		var content *store.ContentError
		if !errors.As(err, &content) {
			t.Errorf("%s: %v", c.dir, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, which doesn't say %q", c.dir, err, want)
			}
		}
	}
}
