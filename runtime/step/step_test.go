//go:build linux

package step_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// trial is one attempt of a step, with its own store.
type trial struct {
	t     *testing.T
	store *store.Local
	spec  *step.Spec
	deps  step.Deps

	mu    sync.Mutex
	lines []string
}

func text(s string) program.Value {
	data, _ := json.Marshal(s)
	return program.Value{Const: data}
}

func command(args ...string) []program.Value {
	var out []program.Value
	for _, a := range args {
		if ref, ok := strings.CutPrefix(a, "ref:"); ok {
			out = append(out, program.Value{Ref: ref})
		} else {
			out = append(out, text(a))
		}
	}
	return out
}

func newTrial(t *testing.T, args ...string) *trial {
	t.Helper()
	dir := t.TempDir()
	st, err := store.OpenLocal(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	x := &trial{t: t, store: st}
	x.spec = &step.Spec{
		Version: 1, Run: "run-1", Pipeline: "p", Step: "s", Attempt: 3, UserAttempt: 2,
		Program: program.Step{Name: "s", Command: command(args...), Grace: program.Duration(10 * time.Second)},
		Root:    filepath.Join(dir, "work"), Dir: dir,
		AttemptDir: (&record.Run{Namespace: "local", Pipeline: "p", Name: "run-1"}).AttemptDir("s", 3),
	}
	x.deps = step.Deps{Store: st, Environ: os.Environ(), Line: func(line lines.Line) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.lines = append(x.lines, string(line.Text))
	}}
	return x
}

func sh(t *testing.T, script string) *trial { return newTrial(t, "sh", "-c", script) }

func (x *trial) outputs(pairs ...string) *trial {
	for i := 0; i < len(pairs); i += 2 {
		x.spec.Program.Outputs = append(x.spec.Program.Outputs, program.Output{Name: pairs[i], Type: pairs[i+1]})
	}
	return x
}

func (x *trial) value(name, typ, raw string) *trial {
	x.spec.Inputs = append(x.spec.Inputs, record.Datum{Name: name, Type: typ, Value: json.RawMessage(raw)})
	return x
}

func (x *trial) run() record.Result { return x.runIn(context.Background()) }

func (x *trial) runIn(ctx context.Context) record.Result {
	x.t.Helper()
	r, err := step.Run(ctx, x.spec, x.deps)
	if err != nil {
		x.t.Fatalf("%v (%+v)", err, r)
	}
	committed, err := store.ReadJSON[record.Result](context.Background(), x.store, x.spec.ResultKey())
	if err != nil {
		x.t.Fatal(err)
	}
	a, _ := json.Marshal(r)
	b, _ := json.Marshal(committed)
	if string(a) != string(b) {
		x.t.Errorf("committed is\n%s\nand returned\n%s", b, a)
	}
	return r
}

// log returns the log as it was stored.
func (x *trial) log(r record.Result) string {
	x.t.Helper()
	var b strings.Builder
	for i := range r.Log.Segments {
		data, err := store.ReadAll(context.Background(), x.store, step.LogKey(x.spec.AttemptDir, i))
		if err != nil {
			x.t.Fatal(err)
		}
		b.Write(data)
	}
	if int64(b.Len()) != r.Log.Bytes {
		x.t.Errorf("the log has %d bytes, and the result says %d", b.Len(), r.Log.Bytes)
	}
	return b.String()
}

func (x *trial) succeeds() record.Result {
	x.t.Helper()
	r := x.run()
	if r.Status != record.Succeeded || r.ExitCode == nil || *r.ExitCode != 0 || r.Reason != "" || r.Class != "" {
		x.t.Fatalf("%+v\n%s", r, x.log(r))
	}
	return r
}

func (x *trial) fails(class record.Class, reason string, says ...string) record.Result {
	x.t.Helper()
	r := x.run()
	if r.Status != record.Failed || r.Class != class || r.Reason != reason || len(r.Outputs) > 0 {
		x.t.Fatalf("%+v\n%s", r, x.log(r))
	}
	for _, want := range says {
		if !strings.Contains(r.Message, want) {
			x.t.Errorf("the message doesn't say %q: %s", want, r.Message)
		}
	}
	return r
}

func TestContract(t *testing.T) {
	x := sh(t, `
		cat "$PIPEC_INPUTS/n" "$PIPEC_INPUT_n"
		echo "$PIPEC_RUN $PIPEC_PIPELINE $PIPEC_STEP [$PIPEC_KEY] $PIPEC_ATTEMPT $GREETING"
		case "$HOME$TMPDIR" in */scratch*/scratch) echo scratch;; esac
		test -d "$HOME" && test -d "$TMPDIR" && echo there
		echo 0.5 > "$PIPEC_OUTPUTS/accuracy"; printf 'two words\n' > "$PIPEC_OUTPUT_the_name"; echo x > "$PIPEC_OUTPUTS/extra"
		echo to stderr >&2`).
		value("n", "number", "42").outputs("accuracy", "number", "the-name", "string")
	x.spec.Key = `"k"`
	x.spec.Program.Env = []program.Env{{Name: "GREETING", Value: text("hello")}}
	r := x.succeeds()
	log := x.log(r)
	want := "42\n42\nrun-1 p s [\"k\"] 2 hello\nscratch\nthere\nto stderr\npipec: output \"extra\" is not declared and is ignored\n"
	if log != want {
		t.Errorf("log\n%s\nwant\n%s", log, want)
	}
	if got := strings.Join(x.lines, "\n") + "\n"; got != want {
		t.Errorf("lines\n%s", got)
	}
	if len(r.Outputs) != 2 || string(r.Outputs[0].Value) != "0.5" || string(r.Outputs[1].Value) != `"two words"` {
		t.Errorf("%+v", r.Outputs)
	}
	if r.Attempt != 3 || r.Run != "run-1" || r.Step != "s" || r.Version != record.Version || r.EndedAt.Before(r.StartedAt) {
		t.Errorf("%+v", r)
	}
}

func TestValuesInCommand(t *testing.T) {
	x := newTrial(t, "printf", `%s\n`, "ref:input.s", "ref:input.file.path", "ref:output.o.path", "ref:run.name").outputs("o", "string").value("s", "string", `"a b"`)
	a := x.keep("data.txt", "content")
	x.spec.Inputs = append(x.spec.Inputs, record.Datum{Name: "file", Type: "file", Artifact: &a})
	x.spec.Refs = map[string]json.RawMessage{"run.name": json.RawMessage(`"run-1"`)}
	r := x.fails(record.ClassUser, record.ReasonOutputMissing, `output "o"`, "declared string", "PIPEC_OUTPUT_o")
	want := "a b\n" + x.spec.InputPath("file") + "\n" + x.spec.OutputPath("o") + "\nrun-1\n"
	if log := x.log(r); log != want {
		t.Errorf("%s", log)
	}
	if data, err := os.ReadFile(x.spec.InputPath("file")); err != nil || string(data) != "content" {
		t.Errorf("%q, %v", data, err)
	}
}

// keep puts a file into the store.
func (x *trial) keep(name, content string) record.Artifact {
	x.t.Helper()
	path := filepath.Join(x.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		x.t.Fatal(err)
	}
	a, err := store.Save(context.Background(), x.store, path, false)
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

func TestExits(t *testing.T) {
	r := sh(t, "exit 7").fails(record.ClassUser, record.ReasonError, "exit code 7")
	if r.ExitCode == nil || *r.ExitCode != 7 {
		t.Errorf("%+v", r)
	}
	r = sh(t, "kill -SEGV $$").fails(record.ClassUser, record.ReasonSignal, "SIGSEGV")
	if r.ExitCode != nil || r.Signal != "SIGSEGV" {
		t.Errorf("%+v", r)
	}
	r = sh(t, "true").succeeds()
	if r.Log != (record.Log{}) {
		t.Errorf("without output there is a log: %+v", r.Log)
	}
}

func TestStartErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"not in PATH", []string{"no-such-program"}, []string{`"no-such-program"`, "PATH", os.Getenv("PATH")}},
		{"one string", []string{"echo hello"}, []string{"a command is a list"}},
		{"no file", []string{"./none"}, []string{"no such file", "working directory"}},
		{"not executable", []string{"./plain"}, []string{"not executable", "chmod +x"}},
		{"only a name", []string{"my-script"}, []string{`"./my-script"`}},
		{"no interpreter", []string{"./badline"}, []string{"#!"}},
		{"no #! line", []string{"./my-script"}, []string{"no #! line"}},
		{"a directory", []string{"./store"}, []string{"is a directory"}},
		{"empty", []string{""}, []string{"command[0] is empty"}},
		{"too long", []string{"echo", strings.Repeat("x", 128<<10)}, []string{"command[1]", "131072", "input.x.path"}},
		{"all too long", slices.Repeat([]string{"echo", strings.Repeat("x", 127<<10)}, 60), []string{"input.x.path"}},
		{"NUL", []string{"echo", "a\x00b"}, []string{"NUL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTrial(t, c.args...)
			for name, content := range map[string]string{"plain": "x", "my-script": "echo x\n", "badline": "#!/no/such/interpreter\n"} {
				mode := fs.FileMode(0o755)
				if name == "plain" {
					mode = 0o644
				}
				if err := os.WriteFile(filepath.Join(x.spec.Dir, name), []byte(content), mode); err != nil {
					t.Fatal(err)
				}
			}
			x.fails(record.ClassUser, record.ReasonStart, c.says...)
		})
	}
	x := sh(t, "true")
	x.spec.Program.Env = []program.Env{{Name: "BIG", Value: text(strings.Repeat("x", 128<<10))}}
	x.fails(record.ClassUser, record.ReasonStart, "BIG", "input.x.path")
}

// Arguments below the limit work: the limit is the system's.
func TestLongestArgument(t *testing.T) {
	x := newTrial(t, "true", strings.Repeat("x", 128<<10-1))
	x.succeeds()
}

func TestExpressionFails(t *testing.T) {
	x := newTrial(t, "echo", "ref:param.none")
	x.fails(record.ClassUser, record.ReasonExpression, "command[1]", "param.none")
	x = newTrial(t, "echo", "ref:input.n").value("n", "number", "1")
	x.fails(record.ClassUser, record.ReasonExpression, "command[1]", "number doesn't fit string")
	sh(t, "true").value("n", "number", `"x"`).fails(record.ClassUser, record.ReasonInputInvalid, `input "n"`, "number")
}

func TestEnvironmentIsClean(t *testing.T) {
	x := sh(t, `env | sort`)
	x.deps.Environ = []string{"PATH=" + os.Getenv("PATH"), "PIPEC_SECRET_DB_PASSWORD=geheim", "PIPEC_STACK=x", "KEEP=1", "HF_HOME=/models", "HOME=/home/u"}
	log := x.log(x.succeeds())
	for _, not := range []string{"geheim", "PIPEC_STACK"} {
		if strings.Contains(log, not) {
			t.Errorf("the process sees %s:\n%s", not, log)
		}
	}
	for _, want := range []string{"KEEP=1\n", "HF_HOME=/models\n", "HOME=" + x.spec.Root + "/scratch\n", "PYTHONUSERBASE=/home/u/.local\n"} {
		if !strings.Contains(log, want) {
			t.Errorf("there is no %s in\n%s", want, log)
		}
	}
	x = sh(t, `echo "$HOME"`)
	x.spec.Program.Env = []program.Env{{Name: "HOME", Value: text("/mine")}}
	if log := x.log(x.succeeds()); log != "/mine\n" {
		t.Errorf("HOME is %s", log)
	}
}

func TestCommitsOnce(t *testing.T) {
	x := sh(t, "exit 4")
	x.fails(record.ClassUser, record.ReasonError)
	x.spec.Program.Command = command("true")
	if err := os.RemoveAll(x.spec.Root); err != nil {
		t.Fatal(err)
	}
	if r := x.run(); r.ExitCode == nil || *r.ExitCode != 4 {
		t.Errorf("a committed attempt was replaced: %+v", r)
	}
}

func TestCode(t *testing.T) {
	src := t.TempDir()
	for name, content := range map[string]string{"run.sh": "#!/bin/sh\necho from the code; touch mine; pwd\n", "lib/data": "x"} {
		path := filepath.Join(src, name)
		_ = os.MkdirAll(filepath.Dir(path), 0o777)
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	x := newTrial(t, "./run.sh")
	a, err := store.Pack(context.Background(), x.store, store.Bundle{Dir: src})
	if err != nil {
		t.Fatal(err)
	}
	x.spec.Code = a.Digest
	log := x.log(x.succeeds())
	if want := "from the code\n" + x.spec.Root + "/code\n"; log != want {
		t.Errorf("%s", log)
	}
	if _, err := os.Stat(filepath.Join(src, "mine")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the step wrote into the project")
	}
	x = newTrial(t, "./run.sh")
	x.spec.Code = a.Digest
	x.fails(record.ClassInfrastructure, record.ReasonCode, "the code can't be unpacked")
}

func TestManyAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		x := sh(t, `for i in 1 2 3 4 5; do echo "line $i"; done; echo 1 > "$PIPEC_OUTPUTS/n"`).outputs("n", "number")
		wg.Go(func() {
			if r, err := step.Run(context.Background(), x.spec, x.deps); err != nil || r.Status != record.Succeeded || r.Log.Bytes != 35 {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkTrivialStep(b *testing.B) {
	dir := b.TempDir()
	st, err := store.OpenLocal(filepath.Join(dir, "store"))
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	for i := range b.N {
		spec := &step.Spec{
			Version: 1, Run: "r", Pipeline: "p", Step: "s", Attempt: 1, UserAttempt: 1, Dir: dir,
			Program: program.Step{Name: "s", Command: command("true")},
			Root:    filepath.Join(dir, "work", strconv.Itoa(i)), AttemptDir: "attempts/local/p/r/s" + strconv.Itoa(i) + "/1",
		}
		if r, err := step.Run(context.Background(), spec, step.Deps{Store: st, Environ: os.Environ()}); err != nil || r.Status != record.Succeeded {
			b.Fatal(r, err)
		}
	}
}

func TestCommandAsOneExpression(t *testing.T) {
	x := newTrial(t).value("words", "list(string)", `["a", "b c"]`)
	x.spec.Program.Command = nil
	x.spec.Program.CommandList = &program.Value{Expr: &expr.Expr{
		Text: `concat(["printf", "%s;"], input.words)`, Refs: []string{"input.words"}, Type: "list(string)",
	}}
	if log := x.log(x.succeeds()); log != "a;b c;" {
		t.Errorf("%q", log)
	}
	x.spec.Program.CommandList.Expr.Text = `[for w in input.words : w if w == ""]`
	x.spec.Attempt, x.spec.AttemptDir = 2, x.spec.AttemptDir+"2"
	x.fails(record.ClassUser, record.ReasonStart, "empty list")
}
