package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/schema/program"
)

// SecretVariable returns the name of the environment variable that contains the value of a secret's key on this machine.
func SecretVariable(secret, key string) string {
	name := strings.NewReplacer("-", "_", ".", "_").Replace(secret + "_" + key)
	return "PIPEC_SECRET_" + strings.ToUpper(name)
}

// secrets are the values of the secrets that steps use.
type secrets map[secretKey]string

type secretKey struct{ secret, key string }

// of returns the secrets of a step, by the names of the step's variables.
func (all secrets) of(s *program.Step) map[string]string {
	if len(s.SecretEnv) == 0 {
		return nil
	}
	out := make(map[string]string, len(s.SecretEnv))
	for _, want := range s.SecretEnv {
		if value, ok := all[secretKey{want.Secret, want.Key}]; ok {
			out[want.Name] = value
		}
	}
	return out
}

// findSecrets looks up all secrets of a program, first in the environment and then in the stack's secrets_file. One error names
// all missing secrets.
func (o *Options) findSecrets(steps []*program.Step) (secrets, error) {
	out := secrets{}
	var missing []string
	var file map[string]string
	var all []*program.Step
	for _, s := range steps {
		all = append(all, s.Bodies()...)
	}
	for _, s := range all {
		for _, want := range s.SecretEnv {
			name := SecretVariable(want.Secret, want.Key)
			value := o.getenv(name)
			if value == "" && o.Stack.SecretsFile != "" {
				if file == nil {
					var err error
					if file, err = o.readSecrets(); err != nil {
						return nil, err
					}
				}
				value = file[name]
			}
			if value == "" {
				missing = append(missing, fmt.Sprintf("%s (key %q of secret %q, for step %s)", name, want.Key, want.Secret, s.Name))
				continue
			}
			out[secretKey{want.Secret, want.Key}] = value
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	where := "Set it in the environment, or name a file of lines PIPEC_SECRET_…=VALUE as the stack's secrets_file."
	if o.Stack.SecretsFile != "" {
		where = "Set it in the environment, or in " + o.Stack.SecretsFile + "."
	}
	return nil, drive.Refuse(drive.RefusedSecret, "secrets have no value on this machine:\n  %s", strings.Join(missing, "\n  ")).WithHint("%s", where)
}

func (o *Options) readSecrets() (map[string]string, error) {
	path := o.Stack.SecretsFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Project, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, drive.Refuse(drive.RefusedSecret, "the stack's secrets_file can't be read: %s", err)
	}
	out, line := parseSecrets(string(data))
	if line > 0 {
		// The message does not quote the line, because it may contain a secret.
		return nil, drive.Refuse(drive.RefusedSecret, "%s: line %d is not NAME=VALUE", o.Stack.SecretsFile, line)
	}
	return out, nil
}

// parseSecrets reads lines of the form NAME=VALUE. It removes quotes around a value, and ignores blank lines and # comments. bad
// is the number of the first other line, or 0.
func parseSecrets(text string) (values map[string]string, bad int) {
	values = map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, n
		}
		if q := len(value) - 1; q > 0 && (value[0] == '"' || value[0] == '\'') && value[q] == value[0] {
			value = value[1:q]
		}
		values[name] = value
	}
	return values, 0
}
