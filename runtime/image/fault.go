package image

import (
	"errors"
	"fmt"
	"strings"

	"pipec.dev/pipec/runtime/image/dockerfile"
	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/runtime/image/resolve"
	"pipec.dev/pipec/runtime/store"
)

// Fault explains why one item could not be pushed or pinned.
type Fault struct {
	Kind, Name string
	Err        error
}

func (f *Fault) Error() string {
	if f.Kind == KindAgent {
		return "the agent's image: " + f.Err.Error()
	}
	text := f.Err.Error()
	if strings.HasPrefix(text, f.Name+": ") { // a registry's fault already contains the image's name
		return f.Kind + " " + text
	}
	return fmt.Sprintf("%s %q: %s", f.Kind, f.Name, text)
}

func (f *Fault) Unwrap() error { return f.Err }

// Faults are all faults of a push, sorted.
type Faults []*Fault

func (f Faults) Error() string {
	var lines []string
	for _, fault := range f {
		lines = append(lines, fault.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults for errors.As.
func (f Faults) Unwrap() []error {
	var out []error
	for _, fault := range f {
		out = append(out, fault)
	}
	return out
}

// UsersFault reports whether all faults are about the project's own files.
func (f Faults) UsersFault() bool {
	for _, fault := range f {
		var content *store.ContentError
		var reported *registry.Fault
		var unresolved *resolve.Error
		var address *index.Error
		var built *dockerfile.Error
		if !errors.As(fault, &built) && !errors.As(fault, &content) && !errors.As(fault, &unresolved) &&
			!(errors.As(fault, &reported) && reported.UsersFault()) && !(errors.As(fault, &address) && address.Users) {
			return false
		}
	}
	return len(f) > 0
}
