package compiler_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

var update = flag.Bool("update", false, "write what the compiler gives into the golden files")

// The names of the golden files in the archives of a corpus. All other files are the project.
const goldenDiags, goldenProgram = "diagnostics", "program"

// TestErrors compiles each archive of ../testdata/errors and compares the diagnostics with the archive's "diagnostics".
func TestErrors(t *testing.T) { corpus(t, "../testdata/errors", goldenDiags) }

// TestPrograms compiles each archive of ../testdata/programs and compares the programs with the archive's "program".
func TestPrograms(t *testing.T) { corpus(t, "../testdata/programs", goldenProgram) }

func corpus(t *testing.T, dir, golden string) {
	files, err := filepath.Glob(dir + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			file, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := compileArchive(t, a)
			var got string
			if golden == goldenDiags {
				got = told(t, r)
			} else {
				if r.Diags.Len() > 0 {
					t.Fatal(told(t, r))
				}
				got = programs(t, r)
			}
			compare(t, file, a, golden, got)
		})
	}
}

// compileArchive writes the archive's files to a temporary directory and compiles it. A line of the archive's comment that
// starts with a word of the table below is an option.
func compileArchive(t *testing.T, a *txtar.Archive) *compiler.Result {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range a.Files {
		if f.Name != goldenDiags && f.Name != goldenProgram {
			write(t, f.Name, f.Data)
		}
	}
	for line := range strings.Lines(string(a.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
		first, second, _ := strings.Cut(rest, " ")
		switch word {
		case "link": // link: NAME TARGET
			must(t, os.Symlink(second, first))
		case "mkdir": // mkdir: NAME
			must(t, os.MkdirAll(first, 0o700))
		case "fifo": // fifo: NAME
			must(t, syscall.Mkfifo(first, 0o600))
		case "repeat": // repeat: NAME COUNT "TEXT"; "%d" in it is the number of the repetition
			count, text, _ := strings.Cut(second, " ")
			repeat(t, first, count, text)
		case "exact": // exact: NAME "BYTES"
			text, err := strconv.Unquote(second)
			must(t, err)
			write(t, first, []byte(text))
		}
	}
	r, err := compiler.Compile(optionsOf(t, a))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// optionsOf returns the options that the archive's comment sets.
func optionsOf(t *testing.T, a *txtar.Archive) compiler.Options {
	t.Helper()
	o := compiler.Options{Dir: "."}
	for line := range strings.Lines(string(a.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch word {
		case "var": // var: NAME=VALUE
			o.Vars = append(o.Vars, evaluate.Source{Flag: rest})
		case "var-file": // var-file: PATH
			o.Vars = append(o.Vars, evaluate.Source{File: rest})
		case "env": // env: NAME=VALUE
			o.Env = append(o.Env, rest)
		case "stack": // stack: NAME
			o.Stack = rest
		}
	}
	return o
}

func repeat(t *testing.T, name, count, quoted string) {
	t.Helper()
	n, err := strconv.Atoi(count)
	must(t, err)
	text, err := strconv.Unquote(quoted)
	must(t, err)
	var b bytes.Buffer
	if old, err := os.ReadFile(name); err == nil {
		b.Write(old)
	}
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "%d", strconv.Itoa(i)))
	}
	write(t, name, b.Bytes())
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o700))
	must(t, os.WriteFile(name, data, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// told returns what a user reads, and the exit status of `pipec validate`.
func told(t *testing.T, r *compiler.Result) string {
	t.Helper()
	var out bytes.Buffer
	must(t, diag.Human(&out, diag.NewView(r.Diags.Sorted(), r.Sources), diag.Options{Limit: 20}))
	status := 0
	if r.Diags.HasErrors() {
		status = 1
	}
	fmt.Fprintf(&out, "exit %d\n", status)
	return out.String()
}

// programs returns the programs in their canonical form, indented for reading.
func programs(t *testing.T, r *compiler.Result) string {
	t.Helper()
	var out bytes.Buffer
	for _, p := range r.Programs {
		data, err := p.Encode()
		must(t, err)
		must(t, json.Indent(&out, data, "", "  "))
		back, err := program.Decode(data)
		must(t, err)
		again, err := back.Encode()
		must(t, err)
		if !bytes.Equal(again, data) {
			t.Errorf("decoded and encoded again:\n%s\n%s", data, again)
		}
		checkExpressions(t, p)
	}
	return out.String()
}

// checkExpressions checks that every stored expression is in its canonical form.
func checkExpressions(t *testing.T, p *program.Program) {
	t.Helper()
	for _, e := range expressions(p) {
		node, err := expr.Parse(e.Text)
		if err != nil {
			t.Fatalf("%s: %v", e.Text, err)
		}
		if text, err := expr.PrintFrom(node, expr.Source([]byte(e.Text))); err != nil || text != e.Text {
			t.Fatalf("%s is printed as %s (%v)", e.Text, text, err)
		}
	}
}

// expressions returns all expressions that a program stores.
func expressions(p *program.Program) []*expr.Expr {
	var out []*expr.Expr
	add := func(v *program.Value) {
		if v != nil && v.Expr != nil {
			out = append(out, v.Expr)
		}
	}
	for _, s := range p.All() {
		if s.Approval != nil {
			add(&s.Approval.Message)
		}
		for i := range s.Command {
			add(&s.Command[i])
		}
		for i := range s.Inputs {
			add(&s.Inputs[i].Value)
		}
		for i := range s.Env {
			add(&s.Env[i].Value)
		}
		add(s.CommandList)
		add(s.When)
		add(s.Retry.When)
	}
	for i := range p.Outputs {
		add(&p.Outputs[i].Value)
	}
	return out
}

// compare compares got with the archive's golden file, or writes it with -update.
func compare(t *testing.T, file string, a *txtar.Archive, golden, got string) {
	t.Helper()
	if !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	at := -1
	for i, f := range a.Files {
		if f.Name == golden {
			at = i
		}
	}
	if *update {
		if at < 0 {
			a.Files = append(a.Files, txtar.File{Name: golden})
			at = len(a.Files) - 1
		}
		a.Files[at].Data = []byte(got)
		must(t, os.WriteFile(file, txtar.Format(a), 0o644))
		return
	}
	if at < 0 {
		t.Fatalf("the archive has no %q: run the test with -update", golden)
	}
	if want := string(a.Files[at].Data); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
