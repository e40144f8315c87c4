package rules

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/internal/rules"
	"pipec.dev/pipec/internal/testcluster"
)

var update = flag.Bool("update", false, "write what the cases want, by what this machine's driver does, and the cluster where it alone runs them")

var only = flag.String("cases", "", "run only the cases whose names match this `PATTERN`")

// TestLocal runs the cases on this machine.
func TestLocal(t *testing.T) {
	w := &world{
		driver: "local", bin: testcluster.Binaries(t), stack: "stack \"local\" {\n  orchestrator \"local\" {}\n  artifact_store \"local\" { path = \".pipec/store\" }\n}\n",
		environ: append(os.Environ(), "PIPEC_STACK=local", "NO_COLOR=1", "CI="), flags: []string{"--parallel", "100"},
	}
	for _, c := range load(t) {
		if c.Only == "cluster" {
			continue // the case has the reason, and the cluster runs it
		}
		t.Run(c.Name, func(t *testing.T) {
			if c.Only == "local" && testing.Short() {
				t.Skip("it is large")
			}
			t.Parallel()
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.play(t.Context(), c, dir)
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			compare(t, c, got, *update)
		})
	}
}

// TestEveryRule checks that each rule has a case, and each case a rule.
func TestEveryRule(t *testing.T) {
	if *only != "" {
		return
	}
	all, err := rules.Rules(filepath.Join("..", "..", "testdata", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[int]int{}
	for _, c := range load(t) {
		count[c.Rule]++
		if c.Rule > len(all) {
			t.Errorf("%s is of no rule", c.Name)
		}
	}
	for _, r := range all {
		if count[r.Number] == 0 {
			t.Errorf("rule %d, %s, has no case", r.Number, r.Title)
		}
	}
}

func load(t *testing.T) []*rules.Case {
	t.Helper()
	cases, err := rules.Load(filepath.Join("..", "..", "testdata", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	if wanted, err := regexp.Compile(*only); err != nil {
		t.Fatal(err)
	} else {
		cases = slices.DeleteFunc(cases, func(c *rules.Case) bool { return !wanted.MatchString(c.Name) })
	}
	if len(cases) == 0 {
		t.Fatal("there are no cases")
	}
	return cases
}

// compare compares a transcript with the expected one, or writes it with -update.
func compare(t *testing.T, c *rules.Case, got string, write bool) {
	t.Helper()
	if got == c.Want {
		return
	}
	if !write {
		t.Errorf("%s\n%s", c.Clause, diff.Diff(c.Path, []byte(c.Want), "got", []byte(got)))
		return
	}
	a, err := txtar.ParseFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	files := a.Files[:0]
	for _, f := range a.Files {
		if f.Name != "want" {
			files = append(files, f)
		}
	}
	a.Files = append(files, txtar.File{Name: "want", Data: []byte(got)})
	data := txtar.Format(a)
	if strings.Contains(got, "\n-- ") || bytes.Contains(data, []byte("\r")) {
		t.Fatal("what came of it can't be kept in a txtar")
	}
	if err := os.WriteFile(c.Path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
