package step

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"pipec.dev/pipec/schema/record"
)

// environment returns the environment of the step's process, sorted: inherited variables without PIPEC_* (which may
// contain secrets of others), PIPEC_* of this step, scratch directories, and the step's own variables and secrets.
//
// HOME and TMPDIR are in scratch unless the step sets them. Cache directories are in scratch unless the environment or
// the step sets them, so that a model in HF_HOME can be shared.
func (s *Spec) environment(d *Deps) ([]string, *failure) {
	inherited := d.inherited()
	own := s.scratch(inherited)
	s.describe(&own)
	for i := range s.Program.Env {
		e := &s.Program.Env[i]
		value, ok, f := s.variable(&e.Value, e.Name)
		if f != nil {
			return nil, f
		}
		if ok {
			own.set(e.Name, value)
		}
	}
	for _, secret := range s.Program.SecretEnv {
		value, ok := d.Secrets[secret.Name]
		if !ok {
			return nil, userFailure(record.ReasonStart, "secret_env %q: there is no value for key %q of secret %q",
				secret.Name, secret.Key, secret.Secret)
		}
		own.set(secret.Name, value)
	}
	out := inherited.with(own)
	for _, entry := range out {
		if len(entry) < maxString && strings.IndexByte(entry, 0) < 0 {
			continue
		}
		name, _, _ := strings.Cut(entry, "=")
		return nil, fits(entry, "the variable "+name)
	}
	return out, nil
}

// scratch returns the variables that refer to the scratch directory.
func (s *Spec) scratch(inherited *Inherited) variables {
	own := make(variables, 0, 16+len(s.Inputs)+len(s.Program.Outputs)+len(s.Program.Env))
	scratch := filepath.Join(s.Root, scratchDir)
	own.set("HOME", scratch)
	own.set("TMPDIR", scratch)
	for _, cache := range [...]variable{
		{"XDG_CACHE_HOME", "/cache"}, {"MPLCONFIGDIR", "/cache/matplotlib"}, {"NUMBA_CACHE_DIR", "/cache/numba"},
		{"HF_HOME", "/cache/huggingface"},
	} {
		if !inherited.has(cache.name) {
			own.set(cache.name, scratch+cache.value)
		}
	}
	return own
}

// describe adds the PIPEC_* variables of this attempt.
func (s *Spec) describe(own *variables) {
	own.set("PIPEC_INPUTS", filepath.Join(s.Root, inputsDir))
	own.set("PIPEC_OUTPUTS", filepath.Join(s.Root, outputsDir))
	own.set("PIPEC_RUN", s.Run)
	own.set("PIPEC_PIPELINE", s.Pipeline)
	own.set("PIPEC_STEP", s.Step)
	own.set("PIPEC_KEY", s.Key)
	own.set("PIPEC_ATTEMPT", strconv.Itoa(s.UserAttempt))
	for i := range s.Inputs {
		own.set("PIPEC_INPUT_"+envName(s.Inputs[i].Name), s.InputPath(s.Inputs[i].Name))
	}
	for i := range s.Program.Outputs {
		if s.Program.Outputs[i].Elsewhere() {
			continue // this path is not read
		}
		own.set("PIPEC_OUTPUT_"+envName(s.Program.Outputs[i].Name), s.OutputPath(s.Program.Outputs[i].Name))
	}
}

// variable is an environment variable, and variables are several. If a name occurs twice, the last one counts.
type (
	variable  struct{ name, value string }
	variables []variable
)

func (v *variables) set(name, value string) { *v = append(*v, variable{name, value}) }

// Inherited is the inherited environment without PIPEC_*, read once for many attempts.
type Inherited struct {
	names   []string // sorted, each once
	entries []string // NAME=value, in the order of names

	mu   sync.Mutex
	null *os.File // the input of processes; nil: not opened yet
}

// inherited returns Deps.Inherited, or reads the environment.
func (d *Deps) inherited() *Inherited {
	if d.Inherited == nil {
		d.Inherited = Inherit(d.Environ)
	}
	return d.Inherited
}

// input returns the empty input that all processes share.
func (in *Inherited) input() (*os.File, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.null == nil {
		null, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		in.null = null
	}
	return in.null, nil
}

// Inherit reads an environment. If a name occurs twice, the last one counts.
func Inherit(environ []string) *Inherited {
	values := make(map[string]string, len(environ)+1)
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" && !strings.HasPrefix(name, "PIPEC_") {
			values[name] = value
		}
	}
	if home := values["HOME"]; home != "" && values["PYTHONUSERBASE"] == "" && runtime.GOOS == "linux" {
		values["PYTHONUSERBASE"] = filepath.Join(home, ".local") // keeps packages of `pip install --user` importable
	}
	in := &Inherited{names: make([]string, 0, len(values)), entries: make([]string, 0, len(values))}
	for name := range values {
		in.names = append(in.names, name)
	}
	slices.Sort(in.names)
	for _, name := range in.names {
		in.entries = append(in.entries, name+"="+values[name])
	}
	return in
}

// has reports whether a variable is set and not empty.
func (in *Inherited) has(name string) bool {
	i, ok := slices.BinarySearch(in.names, name)
	return ok && len(in.entries[i]) > len(name)+1
}

// with adds variables, which override inherited ones.
func (in *Inherited) with(own variables) []string {
	slices.SortStableFunc(own, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	out := make([]string, 0, len(in.names)+len(own)+2) // for PWD and a variable of Python
	next := 0
	for i := range own {
		name := own[i].name
		if i+1 < len(own) && own[i+1].name == name {
			continue
		}
		for ; next < len(in.names) && in.names[next] < name; next++ {
			out = append(out, in.entries[next])
		}
		if next < len(in.names) && in.names[next] == name {
			next++
		}
		out = append(out, name+"="+own[i].value)
	}
	return append(out, in.entries[next:]...)
}

// setEnv sets a variable that the environment may already contain: with duplicates, some programs use the first one.
func setEnv(env []string, name, value string) []string {
	entry := name + "=" + value
	for i := range env {
		if strings.HasPrefix(env[i], name) && strings.HasPrefix(env[i][len(name):], "=") {
			env[i] = entry
			return env
		}
	}
	return append(env, entry)
}

// lookupEnv returns the value of a variable in entries of the form NAME=value.
func lookupEnv(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if rest, ok := strings.CutPrefix(env[i], name); ok && strings.HasPrefix(rest, "=") {
			return rest[1:]
		}
	}
	return ""
}
