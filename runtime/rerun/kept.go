package rerun

import (
	"slices"
	"strings"

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
		if above, ok := above(steps[i].Name); ok {
			parent[above] = true
		}
	}
	var out []record.Event
	for i := range steps {
		s := &steps[i]
		root := record.Root(s.Name)
		if s.Status != record.Succeeded || parent[s.Name] || !slices.Contains(names, root) {
			continue
		}
		if ended[root] != record.Succeeded && ended[instance(s.Name)] != record.Succeeded {
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

// instance is the address of the outermost instance that an address is beneath; the address itself where there is none.
func instance(address string) string {
	root := record.Root(address)
	if len(root) == len(address) || address[len(root)] != '[' {
		return address
	}
	quoted := false
	for i := len(root) + 1; i < len(address); i++ {
		switch c := address[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			return address[:i+1]
		}
	}
	return address
}

// above is the address of what an address is part of.
func above(address string) (string, bool) {
	quoted, last := false, -1
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(".[#", rune(c)):
			last = i
		}
	}
	if last < 0 {
		return "", false
	}
	return address[:last], true
}
