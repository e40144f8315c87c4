package rerun

import "pipec.dev/pipec/schema/record"

// KeptEvents are those that take results over from the run, whose steps ended so. They are the results of the steps that
// kept names, and of their instances, rounds and called steps, if they succeeded. redone are the addresses of the parts of
// kept steps that are left out.
func KeptEvents(of *record.Run, steps []record.StepEnd, kept, redone []string) []record.Event {
	taken, left := set(kept), set(redone)
	parent := map[string]bool{}
	for i := range steps {
		if above, ok := record.Address(steps[i].Name).Parent(); ok {
			parent[above.String()] = true
		}
	}
	var out []record.Event
	for i := range steps {
		s := &steps[i]
		at := record.Address(s.Name)
		if s.Status != record.Succeeded || parent[s.Name] || !taken[at.Root()] || len(left) > 0 && within(at, left) {
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

// within reports whether an address is one of others, or a part of one.
func within(at record.Address, others map[string]bool) bool {
	for ok := true; ok; at, ok = at.Parent() {
		if others[at.String()] {
			return true
		}
	}
	return false
}
