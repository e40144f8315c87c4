package rerun

import (
	"slices"

	"pipec.dev/pipec/schema/record"
)

// KeptEvents are those that take the results of the named steps over from the run, whose steps ended so. Of a step with
// steps of its own, its attempts' results are taken over: all of them where it succeeded, else those of its instances
// that did.
func KeptEvents(of *record.Run, steps []record.StepEnd, names []string) []record.Event {
	ended := map[string]record.Status{}
	parent := map[string]bool{}
	for i := range steps {
		ended[steps[i].Name] = steps[i].Status
		if above, ok := record.Address(steps[i].Name).Parent(); ok {
			parent[above.String()] = true
		}
	}
	var out []record.Event
	for i := range steps {
		s := &steps[i]
		root := record.Address(s.Name).Root()
		if s.Status != record.Succeeded || parent[s.Name] || !slices.Contains(names, root) {
			continue
		}
		if ended[root] != record.Succeeded && ended[outermostInstance(record.Address(s.Name)).String()] != record.Succeeded {
			continue
		}
		from := s.Run
		if from == "" {
			from = of.Name
		}
		out = append(out, record.Event{Type: record.StepKept, Step: s.Name, From: from, Ask: s.Ask, Answer: s.Answer, Result: &record.Result{
			Version: record.Version, Run: from, Step: s.Name, Attempt: s.Attempt, Status: s.Status, ExitCode: s.ExitCode,
			StartedAt: s.StartedAt, EndedAt: s.EndedAt, Outputs: s.Outputs,
		}})
	}
	return out
}

// outermostInstance returns the outermost instance that a names or is part of, or a itself if there is none.
func outermostInstance(a record.Address) record.Address {
	for at := a; ; {
		parent, ok := at.Parent()
		if !ok {
			return a
		}
		if _, ok := parent.Parent(); !ok { // at is directly part of a step of the run's own pipeline
			if _, ok := at.Key(); ok {
				return at
			}
			return a
		}
		at = parent
	}
}
