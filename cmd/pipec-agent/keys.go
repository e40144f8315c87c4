package main

import (
	"os"
	"strings"

	"pipec.dev/pipec/schema/kube"
)

// keys are the variables that only pipec may know, by name: the credentials of the store, and the key of the attempt's seal.
type keys map[string]string

// isKey reports whether the user's process must not be able to read a variable of the agent.
func isKey(name string) bool {
	return strings.HasPrefix(name, kube.EnvStorePrefix) || name == kube.EnvSeal
}

// takeKeys moves the keys out of the environment. The caller must do this before it starts a process: a process of the same
// user can otherwise read the environment with which the agent was started in /proc. See shield.
func takeKeys() keys {
	out := keys{}
	for _, entry := range os.Environ() {
		if name, value, ok := strings.Cut(entry, "="); ok && isKey(name) {
			out[name] = value
			_ = os.Unsetenv(name)
		}
	}
	return out
}

// lookup is like os.LookupEnv, with the keys.
func (k keys) lookup(name string) (string, bool) {
	if value, ok := k[name]; ok {
		return value, true
	}
	return os.LookupEnv(name)
}
