package step

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

const (
	runnerName  = "runner.zip"
	requestName = "runner.json" // request to the runner
	reportName  = "report.json" // response of the runner
)

// runner is the Python runner of one attempt. It is nil for other steps.
type runner struct {
	argv    []string
	answers string
}

// report contains what the exit code of the runner can't express.
type report struct {
	Reason  string            `json:"reason"` // set if the runner found the fault, not the user's function
	Message string            `json:"message"`
	Formats map[string]string `json:"formats"` // how it wrote artifacts, by path

	none bool // the process ended before the runner could report
}

// request is the request to the runner.
type request struct {
	Function string            `json:"function"`
	Dir      string            `json:"dir"`
	Report   string            `json:"report"`
	Inputs   []slot            `json:"inputs"`
	Outputs  []slot            `json:"outputs"` // in declared order
	Formats  map[string]string `json:"formats"` // of inputs, by path
}

type slot struct {
	Name string   `json:"name"`
	Path string   `json:"path"`
	Type slotType `json:"type"`
	Text string   `json:"text"` // the type in the language's syntax
	// Optional states that None means that an output is missing, and Null that an input is None.
	Optional bool `json:"optional,omitempty"`
	Null     bool `json:"null,omitempty"`
}

// runner writes what the Python runner needs into Root.
func (s *Spec) runner(dir string) (*runner, *failure) {
	req := request{
		Function: s.Program.Python, Dir: dir, Report: filepath.Join(s.Root, reportName),
		Inputs: []slot{}, Outputs: []slot{}, Formats: map[string]string{},
	}
	for i := range s.Inputs {
		in := &s.Inputs[i]
		one, t, f := newSlot(in.Name, in.Type, s.InputPath(in.Name))
		if f != nil {
			return nil, f
		}
		one.Null = isNull(in)
		req.Inputs = append(req.Inputs, one)
		eachFormat(in, t, one.Path, func(path, format string) { req.Formats[path] = format })
	}
	for _, name := range s.outputOrder() {
		for i := range s.Program.Outputs {
			if out := &s.Program.Outputs[i]; out.Name == name && !out.Elsewhere() { // otherwise it is not returned
				one, _, f := newSlot(name, out.Type, s.OutputPath(name))
				if f != nil {
					return nil, f
				}
				one.Optional = out.Optional
				req.Outputs = append(req.Outputs, one)
			}
		}
	}
	data, err := json.Marshal(req)
	if err != nil {
		return nil, infrastructureFailure(record.ReasonStart, "the runner's request: %s", err)
	}
	program, requestPath := filepath.Join(s.Root, runnerName), filepath.Join(s.Root, requestName)
	archive, err := runnerArchive()
	if err != nil {
		return nil, infrastructureFailure(record.ReasonStart, "the runner: %s", err)
	}
	if err := os.WriteFile(program, archive, 0o666); err != nil {
		return nil, infrastructureFailure(record.ReasonStart, "the runner can't be written: %s", err)
	}
	if err := os.WriteFile(requestPath, data, 0o666); err != nil {
		return nil, infrastructureFailure(record.ReasonStart, "the runner's request can't be written: %s", err)
	}
	return &runner{argv: []string{s.interpreter(), "-u", program, requestPath}, answers: req.Report}, nil
}

func newSlot(name, typ, path string) (slot, cty.Type, *failure) {
	t, err := types.ParseString(typ)
	if err != nil {
		return slot{}, t, infrastructureFailure(record.ReasonStart, "%s: %s", name, err)
	}
	return slot{Name: name, Path: path, Type: slotTypeOf(t), Text: typ}, t, nil
}

// outputOrder returns the outputs' names in declared order.
func (s *Spec) outputOrder() []string {
	if len(s.Program.OutputOrder) == len(s.Program.Outputs) {
		return s.Program.OutputOrder
	}
	names := make([]string, len(s.Program.Outputs))
	for i := range s.Program.Outputs {
		names[i] = s.Program.Outputs[i].Name
	}
	return names
}

func (s *Spec) interpreter() string {
	if s.Python != "" {
		return s.Python
	}
	return "python3"
}

// environment returns the environment variables for Python. The runner itself adds the working directory to PYTHONPATH,
// because a module there with the name of a standard module would prevent the interpreter from starting.
func (r *runner) environment(env []string) []string { return withoutBytecode(env) }

// withoutBytecode keeps Python from writing bytecode beside modules, unless the environment decides it.
func withoutBytecode(env []string) []string {
	if lookupEnv(env, "PYTHONDONTWRITEBYTECODE") == "" {
		env = append(env, "PYTHONDONTWRITEBYTECODE=1") // the directory is removed after the step
	}
	return env
}

// report reads the runner's response.
func (r *runner) report() *report {
	if r == nil {
		return &report{}
	}
	data, err := os.ReadFile(r.answers)
	if err != nil {
		return &report{none: true}
	}
	return parseReport(data)
}

// explain adds a reason to a failure about a missing output, if the function ended the process without the runner's
// knowledge. For a failed process the exit code or the signal is enough.
func (r *report) explain(f *failure) *failure {
	if r.none && f.reason == record.ReasonOutputMissing {
		f.message += "; the process ended before the function returned (os._exit, or exec of another program?)"
	}
	return f
}

func parseReport(data []byte) *report {
	var out report
	if json.Unmarshal(data, &out) != nil {
		return &report{none: true} // killed while writing
	}
	switch out.Reason {
	case "", record.ReasonError, record.ReasonOutputInvalid, record.ReasonOutputMissing, record.ReasonInputInvalid:
	default:
		out.Reason = record.ReasonError
	}
	return &out
}

// FindPython chooses the interpreter of python steps on this machine: PIPEC_PYTHON, the stack's python, the project's
// .venv, $VIRTUAL_ENV, then python3 and python in PATH. lookup reads the environment, project is the project's
// directory. So the project's own environment is used without any configuration, and a machine can choose another one. A
// configured interpreter that does not exist is an error.
func FindPython(lookup func(string) string, stack, project string) (string, error) {
	abs := func(path string) string {
		if filepath.IsAbs(path) || !strings.ContainsRune(path, '/') {
			return path
		}
		return filepath.Join(project, path)
	}
	for _, named := range []struct{ what, path string }{
		{"PIPEC_PYTHON", lookup("PIPEC_PYTHON")}, {"the stack's orchestrator.python", stack},
	} {
		if named.path == "" {
			continue
		}
		found := findIn(lookup("PATH"), abs(named.path))
		if found == "" {
			return "", fmt.Errorf("there is no Python interpreter at %s, which is set by %s", named.path, named.what)
		}
		return found, nil
	}
	for _, venv := range []string{filepath.Join(project, ".venv"), lookup("VIRTUAL_ENV")} {
		if found := filepath.Join(venv, "bin", "python"); venv != "" && executable(found) {
			return found, nil
		}
	}
	for _, name := range []string{"python3", "python"} {
		if found := findIn(lookup("PATH"), name); found != "" {
			return found, nil
		}
	}
	return "", errors.New("there is no Python interpreter: neither .venv/bin/python in the project, nor python3 in PATH " +
		"(set another one in PIPEC_PYTHON or the stack's orchestrator.python)")
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil
}

// findIn returns the absolute path of a program: name itself if it contains a slash, else the first match in PATH.
func findIn(path, name string) string {
	if strings.ContainsRune(name, '/') {
		if executable(name) {
			return name
		}
		return ""
	}
	for _, dir := range filepath.SplitList(path) {
		if found := filepath.Join(dir, name); filepath.IsAbs(dir) && executable(found) {
			return found
		}
	}
	return ""
}
