package engine

import (
	"fmt"
	"strings"
)

// Holder is a run that holds a slot in a group, as far as a driver knows.
type Holder struct {
	Run, Step string
	// Dead reports that the run's driver was killed and that processes of the run are still alive.
	Dead bool
}

// DescribeHolders describes the holders of a group's slots, to be used in a sentence. The function holder converts what the
// driver stores of a holder.
func DescribeHolders[T any](holders []T, holder func(T) Holder) string {
	if len(holders) == 0 {
		return "other runs hold it"
	}
	const few = 3
	var parts []string
	for i, stored := range holders {
		if i == few {
			parts = append(parts, fmt.Sprintf("and %d more", len(holders)-few))
			break
		}
		h := holder(stored)
		text := fmt.Sprintf("run %s (step %s)", h.Run, h.Step)
		if h.Dead {
			text = fmt.Sprintf("processes of run %s (step %s), whose pipec was killed", h.Run, h.Step)
		}
		parts = append(parts, text)
	}
	verb := " holds it"
	if len(holders) > 1 || holder(holders[0]).Dead {
		verb = " hold it"
	}
	return strings.Join(parts, ", ") + verb
}
