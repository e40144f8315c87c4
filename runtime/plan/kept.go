package plan

import (
	"slices"

	"pipec.dev/pipec/schema/record"
)

// KeptEvents are those that take the results of the named steps over from the run, whose steps ended so.
func KeptEvents(of *record.Run, steps []record.StepEnd, names []string) []record.Event {
	var out []record.Event
	for i := range steps {
		s := &steps[i]
		if !slices.Contains(names, s.Name) {
			continue
		}
		from := s.Run
		if from == "" {
			from = of.Name
		}
		out = append(out, record.Event{Type: record.StepKept, Step: s.Name, From: from, Result: &record.Result{
			Version: record.Version, Run: from, Step: s.Name, Attempt: s.Attempt, Status: s.Status, ExitCode: s.ExitCode,
			StartedAt: s.StartedAt, EndedAt: s.EndedAt, Outputs: s.Outputs,
		}})
	}
	return out
}
