package examples

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/internal/app/tests"
)

// mutations change a line of a pipeline so that it means something else.
var mutations = []struct {
	line *regexp.Regexp
	with func(m []string) string
}{
	{regexp.MustCompile(`^(\s*when\s*=\s*)(.+)$`), func(m []string) string { return m[1] + "!(" + m[2] + ")" }},
	{regexp.MustCompile(`^(\s*default\s*[=:]\s*)(.+)$`), func(m []string) string { return m[1] + other(m[2]) }},
	{regexp.MustCompile(`^(\s*param .*\bdefault\s*=\s*)([^,}]+)( \}.*)$`), func(m []string) string { return m[1] + other(m[2]) + m[3] }},
	{regexp.MustCompile(`^(\s*)finally( "[^"]+" \{)$`), func(m []string) string { return m[1] + "step" + m[2] }},
	{regexp.MustCompile(`^(\s*when:\s*)"\$\{(.+)\}"$`), func(m []string) string { return m[1] + `"${!(` + m[2] + `)}"` }},
	{regexp.MustCompile(`^\s*finally:$`), func([]string) string { return "" }}, // its steps then belong to the steps above it
}

// mutable matches the lines for which there has to be a mutation.
var mutable = regexp.MustCompile(`^[^#]*(\b(when|default)\s*[=:]|\bfinally\b\s*[":])`)

// other returns a value of the same type.
func other(value string) string {
	switch {
	case value == "false":
		return "true"
	case value == "true":
		return "false"
	case strings.HasPrefix(value, `"`):
		return `"other"`
	}
	return value + " + 1"
}

// TestMutationsAreCaught changes each `when`, `default` and `finally` of the examples, one at a time. The tests that are
// part of the example must fail, or the changed example doesn't compile.
func TestMutationsAreCaught(t *testing.T) {
	examples, err := filepath.Glob("../../examples/*")
	if err != nil || len(examples) < 12 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	caught := 0
	for _, example := range examples {
		dir := copied(t, example)
		if r := tested(t, dir); r.Failed > 0 || r.Passed == 0 || len(r.Tests) != r.Passed {
			t.Errorf("%s: %d tests passed, %d failed", example, r.Passed, r.Failed)
			continue
		}
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			source := strings.HasSuffix(path, ".pipec.hcl") || strings.HasSuffix(path, ".pipec.yaml")
			if err != nil || !source || strings.Contains(path, "stacks.pipec") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			lines := strings.Split(string(text), "\n")
			for i, line := range lines {
				before := caught
				for _, mutation := range mutations {
					m := mutation.line.FindStringSubmatch(line)
					if m == nil {
						continue
					}
					changed := append(append(append([]string{}, lines[:i]...), mutation.with(m)), lines[i+1:]...)
					if err := os.WriteFile(path, []byte(strings.Join(changed, "\n")), 0o600); err != nil {
						return err
					}
					if tested(t, dir).valid() {
						rel, _ := filepath.Rel(dir, path)
						t.Errorf("%s/%s:%d: the tests pass with %q", filepath.Base(example), rel, i+1, strings.TrimSpace(changed[i]))
					}
					caught++
				}
				if caught == before && mutable.MatchString(line) {
					t.Errorf("%s:%d: there is no mutation of %q", path, i+1, strings.TrimSpace(line))
				}
			}
			return os.WriteFile(path, text, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if caught < 25 {
		t.Errorf("only %d mutations", caught)
	}
}

// results are those of all projects of an example.
type results struct{ *tests.Results }

// valid reports whether all tests pass.
func (r results) valid() bool {
	for _, d := range r.Diags {
		if d.Severity == "error" {
			return false
		}
	}
	return r.Failed == 0
}

// tested runs the tests of an example and of the libraries in it.
func tested(t *testing.T, dir string) results {
	t.Helper()
	dirs := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(path, ".pipec-test.") {
			dirs[filepath.Dir(path)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	open := func(dir string) *project.Project { return app.Open(dir, app.Options{}).Project }
	r, err := tests.Run(open, slices.Sorted(maps.Keys(dirs)), tests.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return results{r}
}

// BenchmarkTests runs the tests of all examples; the metric is how many run in a second.
func BenchmarkTests(b *testing.B) {
	examples, err := filepath.Glob("../../examples/*")
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	open := func(dir string) *project.Project { return app.Open(dir, app.Options{}).Project }
	for b.Loop() {
		r, err := tests.Run(open, examples, tests.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if r.Failed > 0 {
			b.Fatalf("%d tests failed", r.Failed)
		}
		n += r.Passed
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tests/s")
}
