package step

import (
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/schema/record"
)

// environment makes the environment of the step's process, sorted: what is inherited, without all PIPEC_* of others
// (their secrets among it); PIPEC_* of this step; scratch directories; then what the step says, and its secrets.
//
// HOME and TMPDIR always lead into scratch unless the step sets them. The caches do so unless anyone has set them: a
// model that was downloaded to HF_HOME is there to be shared.
func (s *Spec) environment(d *Deps) ([]string, *failure) {
	env := s.baseEnvironment(d.Environ)
	s.describe(env)
	for i := range s.Program.Env {
		e := &s.Program.Env[i]
		value, f := s.evaluate(&e.Value, "env "+e.Name)
		if f != nil {
			return nil, f
		}
		env[e.Name] = value
	}
	for _, secret := range s.Program.SecretEnv {
		value, ok := d.Secrets[secret.Name]
		if !ok {
			return nil, userFault(record.ReasonStart, "secret_env %q: there is no value for the key %q of the secret %q",
				secret.Name, secret.Key, secret.Secret)
		}
		env[secret.Name] = value
	}
	out := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		entry := name + "=" + env[name]
		if f := fits(entry, "the variable "+name); f != nil {
			return nil, f
		}
		out = append(out, entry)
	}
	return out, nil
}

// baseEnvironment is what holds for every attempt of every step, but for the paths.
func (s *Spec) baseEnvironment(inherited []string) map[string]string {
	env := make(map[string]string, len(inherited)+24)
	for _, entry := range inherited {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" && !strings.HasPrefix(name, "PIPEC_") {
			env[name] = value
		}
	}
	scratch := filepath.Join(s.Root, scratchDir)
	if home := env["HOME"]; home != "" && env["PYTHONUSERBASE"] == "" && runtime.GOOS == "linux" {
		env["PYTHONUSERBASE"] = filepath.Join(home, ".local") // what `pip install --user` put there stays importable
	}
	env["HOME"] = scratch
	env["TMPDIR"] = scratch
	for name, dir := range map[string]string{
		"XDG_CACHE_HOME": "cache", "MPLCONFIGDIR": "cache/matplotlib", "NUMBA_CACHE_DIR": "cache/numba",
		"HF_HOME": "cache/huggingface",
	} {
		if env[name] == "" {
			env[name] = filepath.Join(scratch, dir)
		}
	}
	return env
}

// describe adds PIPEC_* of this attempt.
func (s *Spec) describe(env map[string]string) {
	env["PIPEC_INPUTS"] = filepath.Join(s.Root, inputsDir)
	env["PIPEC_OUTPUTS"] = filepath.Join(s.Root, outputsDir)
	env["PIPEC_RUN"] = s.Run
	env["PIPEC_PIPELINE"] = s.Pipeline
	env["PIPEC_STEP"] = s.Step
	env["PIPEC_KEY"] = s.Key
	env["PIPEC_ATTEMPT"] = strconv.Itoa(s.UserAttempt)
	for i := range s.Inputs {
		env["PIPEC_INPUT_"+envName(s.Inputs[i].Name)] = s.InputPath(s.Inputs[i].Name)
	}
	for i := range s.Program.Outputs {
		env["PIPEC_OUTPUT_"+envName(s.Program.Outputs[i].Name)] = s.OutputPath(s.Program.Outputs[i].Name)
	}
}

// setEnv sets a variable that the environment may have already: of two, some programs take the first one.
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

// lookupEnv reads a variable of an environment in the form NAME=value.
func lookupEnv(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if rest, ok := strings.CutPrefix(env[i], name); ok && strings.HasPrefix(rest, "=") {
			return rest[1:]
		}
	}
	return ""
}
