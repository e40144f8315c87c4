package lint_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/schema/program"
)

// TestCorpus lints each archive of testdata/corpus and compares the findings with the archive's output. In the archive's
// comment, a line "only: CODE,CODE" selects rules, and "level: CODE=LEVEL" sets a level. A file "lock" is the project's
// lock. The fixed files follow the findings in the output.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			file, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			o := options(t, a)
			for _, f := range a.Files {
				if strings.Contains(f.Name, ".pipec.") {
					put(t, f.Name, f.Data)
				}
			}
			r := compileDir(t)
			report := r.Lint(o)
			got := draw(t, r, report)
			if again := draw(t, r, r.Lint(o)); again != got {
				t.Errorf("linted again:\n%s", again)
			}
			golden(t, file, a, got+fixed(t, r, report, o))
		})
	}
}

func options(t *testing.T, a *txtar.Archive) lint.Options {
	o := lint.Options{Levels: lint.Levels{}}
	for line := range strings.Lines(string(a.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch word {
		case "only":
			o.Only = strings.Split(rest, ",")
		case "level":
			code, level, _ := strings.Cut(rest, "=")
			o.Levels[code] = lint.Level(level)
		}
	}
	for _, f := range a.Files {
		if f.Name == "lock" {
			o.Lock = &program.Lock{}
			if err := json.Unmarshal(f.Data, o.Lock); err != nil {
				t.Fatal(err)
			}
		}
	}
	return o
}

func compileDir(t *testing.T) *compiler.Result {
	t.Helper()
	r, err := compiler.Compile(compiler.Options{Dir: "."})
	if err != nil {
		t.Fatal(err)
	}
	if r.Diags.HasErrors() {
		t.Fatal(draw(t, r, lint.Report{Diags: r.Diags.Sorted()}))
	}
	return r
}

// fixed applies fixes until there are none, and returns the files that changed. A fix must not change what runs.
func fixed(t *testing.T, r *compiler.Result, report lint.Report, o lint.Options) string {
	t.Helper()
	out := ""
	changed := map[string][]byte{}
	for range 10 {
		fixed := lint.Fix(report.Diags, r.Sources)
		if len(fixed) == 0 {
			for _, name := range slices.Sorted(maps.Keys(changed)) {
				out += "\nfixed " + name + ":\n" + string(changed[name])
			}
			return out
		}
		for name, text := range fixed {
			put(t, name, text)
			changed[name] = text
		}
		r = compileDir(t)
		report = r.Lint(o)
	}
	t.Fatal("fixes have no end")
	return ""
}

func put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
