// Package examples runs the projects of examples/ on this machine and on the test cluster, as their READMEs describe, and
// checks the results.
package examples

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pipec.dev/pipec/internal/testcluster"
)

// want are the results of a run of each example: the pipeline's outputs that are values. A run uses the example's own
// params, except for those given here.
var want = map[string][]wanted{
	"nightly-retraining": {
		{nil, map[string]string{"accuracy": "0.8867", "published": `"production-63"`}, nil, nil},
		{[]string{"threshold=0.99"}, map[string]string{"accuracy": "0.8867"}, nil, []string{"published"}},
	},
	"batch-scoring": {
		{nil, map[string]string{"rows": "100"}, nil, nil},
		{[]string{"rows=0"}, map[string]string{"rows": "0"}, nil, nil},
	},
	"crossval":     {{[]string{"folds=3"}, map[string]string{"worst": "0.986644407345576"}, nil, nil}},
	"digits":       {{nil, map[string]string{"accuracy": "0.9688542825361512"}, nil, nil}},
	"gpu-training": {{nil, nil, []string{"loss", "weights"}, nil}},
	"leaderboard":  {{nil, map[string]string{"winner": `"svc"`, "svc": "0.9688542825361512"}, nil, nil}},
	"monorepo":     {{nil, map[string]string{"rate": "0.2", "price": "20.5"}, nil, nil}},
	"notify": {
		{nil, map[string]string{"net": "113"}, nil, nil},
		{[]string{"broken=true"}, map[string]string{"net": "113"}, nil, nil},
	},
	"quality-gate": {
		{nil, nil, []string{"slope"}, nil},
		{[]string{"most_missing=0.001"}, nil, nil, []string{"slope"}},
	},
	"refine": {{nil, map[string]string{"done": "true"}, nil, nil}},
	"shell":  {{nil, map[string]string{"count": "7", "finding": `"none"`, "summary": `{"count":7,"finding":"no audit was needed","greeting":"GOOD MORNING"}`}, nil, nil}},
	"sweep": {
		{nil, map[string]string{"score": "0.9699666295884316"}, nil, nil},
		{[]string{"good_enough=0.99"}, map[string]string{"score": "0.9699666295884316"}, nil, []string{"promoted"}},
	},
}

// answers are the answers to the approvals of each example, by address, which another process sends.
var answers = map[string]map[string][]string{
	"nightly-retraining": {"promote": {"--value", `{ stage = "production" }`, "--reason", "better than the last one"}},
}

type wanted struct {
	params  []string
	outputs map[string]string
	present []string // whose values are not text, or depend on the machine
	absent  []string
}

// check compares the events of a run with the expected results.
func (w *wanted) check(t *testing.T, name string, events []byte) {
	t.Helper()
	if len(w.outputs)+len(w.present)+len(w.absent) == 0 {
		t.Errorf("%s: nothing is wanted of it", name)
	}
	got := outputs(t, events)
	for output, value := range w.outputs {
		if got[output] != value {
			t.Errorf("%s: %s is %s, and should be %s", name, output, got[output], value)
		}
	}
	for _, output := range w.present {
		if _, there := got[output]; !there {
			t.Errorf("%s: %s is not there", name, output)
		}
	}
	for _, output := range w.absent {
		if v, there := got[output]; there {
			t.Errorf("%s: %s is there: %s", name, output, v)
		}
	}
}

// TestMain removes what was built.
func TestMain(m *testing.M) { testcluster.Main(m) }

// copied returns a copy of a project, without the files of earlier runs.
func copied(t *testing.T, dir string) string {
	t.Helper()
	project := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(project, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	_ = os.RemoveAll(filepath.Join(project, ".pipec"))
	_ = os.Remove(filepath.Join(project, "pipec.lock.json"))
	return project
}

func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("they take a minute")
	}
	dirs, err := filepath.Glob("../../examples/*")
	if err != nil || len(dirs) != len(want) {
		t.Fatalf("%d examples, and %d are known: %v", len(dirs), len(want), err)
	}
	bin := testcluster.Binaries(t)
	python := interpreter(t)
	for _, dir := range dirs {
		name := filepath.Base(dir)
		project := copied(t, dir)
		for _, w := range want[name] {
			t.Run(strings.Join(append([]string{name}, w.params...), ","), func(t *testing.T) {
				args := []string{"-C", project, "run", "--stack", "local", "-o", "json"}
				for _, p := range w.params {
					args = append(args, "--param", p)
				}
				cmd := exec.Command(filepath.Join(bin, "pipec"), args...)
				cmd.Env = append(os.Environ(), "PIPEC_PYTHON="+python)
				var stderr, out bytes.Buffer
				approver := answering(t, name, cmd, &out, func(args ...string) *exec.Cmd {
					return exec.Command(filepath.Join(bin, "pipec"), append([]string{"-C", project, "approve", "--stack", "local"}, args...)...)
				})
				cmd.Stderr, cmd.Stdout = &stderr, approver
				err := cmd.Run()
				approver.answers.Wait()
				if err != nil {
					t.Fatalf("%v\n%s\n%s", err, out.Bytes(), stderr.Bytes())
				}
				w.check(t, name, out.Bytes())
			})
		}
	}
}

// answering returns the writer for a run's events. Another process answers the run's questions, as the example expects.
func answering(t *testing.T, name string, run *exec.Cmd, out io.Writer, approve func(args ...string) *exec.Cmd) *approver {
	return &approver{Writer: out, approve: func(named, step string) {
		cmd := approve(append([]string{named, step}, answers[name][step]...)...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", cmd.Args, err, said)
			_ = run.Process.Signal(os.Interrupt) // the run has no other approver
		}
	}}
}

// approver forwards the events of a run, and answers its questions.
type approver struct {
	io.Writer
	approve func(run, step string)
	part    []byte // an incomplete line
	answers sync.WaitGroup
}

func (a *approver) Write(p []byte) (int, error) {
	a.part = append(a.part, p...)
	for {
		line, rest, whole := bytes.Cut(a.part, []byte("\n"))
		if !whole {
			return a.Writer.Write(p)
		}
		a.part = rest
		var e struct{ Type, Run, Step string }
		if json.Unmarshal(line, &e) == nil && e.Type == "step_asks" {
			a.answers.Go(func() { a.approve(e.Run, e.Step) })
		}
	}
}

// outputs returns the values of the pipeline's outputs from the run's last event.
func outputs(t *testing.T, events []byte) map[string]string {
	lines := bytes.Split(bytes.TrimSpace(events), []byte("\n"))
	var end struct {
		RunEnd *struct {
			Outputs []struct {
				Name  string          `json:"name"`
				Value json.RawMessage `json:"value"`
			} `json:"outputs"`
		} `json:"run_end"`
	}
	if err := json.Unmarshal(lines[len(lines)-1], &end); err != nil || end.RunEnd == nil {
		t.Fatalf("the last event is no end of a run (%v): %s", err, lines[len(lines)-1])
	}
	out := map[string]string{}
	for _, o := range end.RunEnd.Outputs {
		out[o.Name] = string(o.Value)
	}
	return out
}

// interpreter returns an interpreter that has what the examples import; scripts/python-deps.sh installs it.
func interpreter(t *testing.T) string {
	venv, err := filepath.Abs("../../examples/digits/.venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	for _, python := range []string{os.Getenv("PIPEC_PYTHON"), venv, "python3", "/usr/bin/python3"} {
		if python != "" && exec.Command(python, "-c", "import pandas, sklearn").Run() == nil {
			return python
		}
	}
	t.Fatal("no python3 has pandas and sklearn: make test installs them (scripts/python-deps.sh --tests examples/digits)")
	return ""
}
