// Package rerun plans a run, without starting it: which steps belong to `run --step`, and which steps
// of a run are run again by `rerun`, with the reason of each. It is pure: it reads programs and records, and no store.
package rerun

import (
	"fmt"
	"slices"
	"sort"

	"pipec.dev/pipec/schema/program"
)

// UnknownStepError says that a program has no step of that name.
type UnknownStepError struct {
	Step string
	Have []string // the names that there are, sorted
}

func (e *UnknownStepError) Error() string {
	return fmt.Sprintf("there is no step %q in this pipeline", e.Step)
}

// Closure is the steps named and all that they need, directly or not, sorted. Steps of finally are in it only by name.
func Closure(p *program.Program, names []string) ([]string, error) {
	steps := index(p)
	want := map[string]bool{}
	todo := slices.Clone(names)
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s, ok := steps[name]
		if !ok {
			return nil, &UnknownStepError{Step: name, Have: sorted(steps)}
		}
		if want[name] {
			continue
		}
		want[name] = true
		for _, need := range s.Needs {
			todo = append(todo, need.Step)
		}
	}
	return sorted(want), nil
}

func index(p *program.Program) map[string]*program.Step {
	out := map[string]*program.Step{}
	for _, s := range p.All() {
		out[s.Name] = s
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}
