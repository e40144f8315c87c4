package engine

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the actions in testdata/*.txtar")

// TestScenarios plays the events of each scenario of testdata and compares the actions. See testdata/README.md.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Files) != 2 || a.Files[0].Name != "program" || a.Files[1].Name != "run" || len(a.Comment) == 0 {
				t.Fatal("expected a comment and the parts program and run")
			}
			want := string(a.Files[1].Data)
			got := playScenario(t, string(a.Files[0].Data), want)
			if got == want {
				return
			}
			if !*update {
				t.Fatalf("got:\n%s\nexpected:\n%s", got, want)
			}
			a.Files[1].Data = []byte(got)
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// playScenario feeds the events among the lines of a run to the engine, and returns the lines with the actions that follow.
func playScenario(t *testing.T, program, run string) string {
	su := parseSetup(t, program)
	return newScript(t, su.program, su.run, su.limit).playRun(run).out.String()
}

// playRun plays the events among the lines of a run.
func (sc *script) playRun(run string) *script {
	for line := range strings.Lines(run) {
		if event, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "> "); ok {
			sc.play(event)
		}
	}
	return sc
}
