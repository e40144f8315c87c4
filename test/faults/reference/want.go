package reference

import (
	"fmt"
	"strconv"
	"strings"

	"pipec.dev/pipec/schema/record"
)

// Want is how a run ends.
type Want struct {
	Status record.Status
	Reason string
	Steps  map[string]WantStep
}

// WantStep is how a step ends.
type WantStep struct {
	Status   record.Status
	Attempts int
	Reason   string // "": any
}

func parseWant(text string) (Want, error) {
	w := Want{Steps: map[string]WantStep{}}
	for line := range strings.Lines(text) {
		fields := append(strings.Fields(line), "", "")
		if w.Status == "" {
			w.Status, w.Reason = record.Status(fields[0]), fields[1]
			continue
		}
		if len(fields) < 5 {
			return w, fmt.Errorf("%q: expected STEP STATUS ATTEMPTS [REASON]", line)
		}
		n, err := strconv.Atoi(fields[2])
		if err != nil {
			return w, err
		}
		w.Steps[fields[0]] = WantStep{record.Status(fields[1]), n, fields[3]}
	}
	return w, nil
}
