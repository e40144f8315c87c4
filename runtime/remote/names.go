package remote

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"pipec.dev/pipec/schema/kube"
)

// NameTakenError reports that another run has the name.
type NameTakenError struct{ Name string }

func (e *NameTakenError) Error() string { return "a run with the name " + e.Name + " exists already" }

// BadNameError reports that a run can't have a name, which must be valid as the name of a Job and as the label of a pod.
type BadNameError struct{ Name, Better string }

func (e *BadNameError) Error() string {
	return fmt.Sprintf("a run on a cluster can't be named %q: a name has at most %[2]d lower case letters, digits and -; for example %[3]q", e.Name, kube.MaxName, e.Better)
}

// CheckName returns a *BadNameError if a run can't have the name.
func CheckName(name string) error {
	if name == "" || kube.Name(name, kube.MaxName) != name {
		return &BadNameError{Name: name, Better: strings.ToLower(kube.Name(name, kube.MaxName))}
	}
	return nil
}

// RunName returns a name for a run: the definition's name, cut if necessary, the time in seconds, and a random suffix,
// since two runs may start at once.
func RunName(definition string, now time.Time) string {
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	suffix := "-" + now.UTC().Format("060102150405") + "-" + hex.EncodeToString(random[:])
	if room := kube.MaxName - len(suffix); len(definition) > room {
		definition = strings.TrimRight(definition[:room], "-")
	}
	return definition + suffix
}
