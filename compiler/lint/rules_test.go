package lint_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
)

var update = flag.Bool("update", false, "write the findings into the golden files")

const output = "output"

// TestRules checks that each rule has an example: a bad input with the expected findings, and a good version without
// findings. The pages of docs/rules show them.
func TestRules(t *testing.T) {
	for _, rule := range lint.All() {
		t.Run(rule.Code, func(t *testing.T) {
			file := filepath.Join("testdata", "rules", rule.Code+".txtar")
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			options := lint.Options{Only: []string{rule.Code}}
			if rule.Level == lint.Off {
				options.Levels = lint.Levels{rule.Code: lint.Warning}
			}
			if more, ok := strings.CutPrefix(string(a.Comment), "with: "); ok {
				options.Only = append(options.Only, strings.TrimSpace(more))
			}
			drawn := map[string]string{}
			for _, f := range a.Files {
				if f.Name == output {
					continue
				}
				r := compiler.Source(f.Name, f.Data, compiler.Options{Dir: t.TempDir()})
				if r.Diags.HasErrors() {
					t.Fatal(draw(t, r, lint.Report{Diags: r.Diags.Sorted()}))
				}
				report := r.Lint(options)
				drawn[f.Name] = draw(t, r, report)
				for _, d := range report.Diags {
					if d.Code != rule.Code {
						t.Errorf("%s also tells %s: %s", f.Name, d.Code, d.Summary)
					}
				}
			}
			if got := drawn["good.pipec.hcl"]; got != "" || drawn["bad.pipec.hcl"] == "" {
				t.Errorf("findings for the good version:\n%sfor the bad one:\n%s", got, drawn["bad.pipec.hcl"])
			}
			golden(t, file, a, drawn["bad.pipec.hcl"])
		})
	}
}

func draw(t *testing.T, r *compiler.Result, report lint.Report) string {
	t.Helper()
	var b bytes.Buffer
	v := diag.NewView(report.Diags, diag.Mask(r.Sources, report.Secrets))
	if err := diag.Human(&b, v, diag.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares got with the archive's output, or writes it with -update.
func golden(t *testing.T, file string, a *txtar.Archive, got string) {
	t.Helper()
	for i, f := range a.Files {
		if f.Name != output {
			continue
		}
		if *update {
			a.Files[i].Data = []byte(got)
			break
		}
		if string(f.Data) != got {
			t.Errorf("got\n%s\nwant\n%s", got, f.Data)
		}
		return
	}
	if !*update {
		t.Fatal("the archive has no output: run the test with -update")
	}
	files := a.Files[:0:0]
	for _, f := range a.Files {
		if f.Name != output {
			files = append(files, f)
		}
	}
	a.Files = append(files, txtar.File{Name: output, Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCodes checks that rules have texts, and codes of their own.
func TestCodes(t *testing.T) {
	last := ""
	for _, r := range lint.All() {
		if _, taken := diag.Lookup(r.Code); taken || r.Code <= last {
			t.Errorf("%s is a code of the compiler, or is listed twice", r.Code)
		}
		if r.Summary == "" || r.Doc == "" || !strings.HasSuffix(r.Summary, ".") || r.Check == nil {
			t.Errorf("%s lacks words or a check", r.Code)
		}
		last = r.Code
	}
}
