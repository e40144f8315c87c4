package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// gates are the approvals of a run. Their answers are annotations of its Job, which stay: a coordinator that is started
// again reads them anew, and the engine reads past those that it has.
type gates struct {
	asks    map[string]string // steps that have asked, by record.AnswerName
	given   map[string]string // what the Job's annotations say, by the same
	refused map[string]bool   // answers that can't be taken, and were told of
}

func newGates() gates {
	return gates{asks: map[string]string{}, given: map[string]string{}, refused: map[string]bool{}}
}

// approval lets one be answered. There may be an answer already.
func (d *driver) approval(a engine.Ask) {
	name := record.AnswerName(a.Step)
	d.gates.asks[name] = a.Step
	if text, ok := d.gates.given[name]; ok {
		d.answer(a.Step, text)
	}
}

// tellAsk tells that an approval waits, when the run's log has it: who answers reads there what is asked.
func (d *driver) tellAsk(e record.Event) {
	d.async(func(context.Context) func() {
		_ = d.journal.Flush() // where it can't be written, the answer waits for that; the run doesn't
		return func() {
			if d.state.Asking(e.Step) {
				d.tell(e)
			}
		}
	})
}

// answersChanged takes in the answers that the Job carries.
func (d *driver) answersChanged(annotations map[string]string) {
	var names []string
	for key, text := range annotations {
		if name, ok := strings.CutPrefix(key, kube.AnnotationApprove); ok && d.gates.given[name] != text {
			d.gates.given[name] = text
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if step, ok := d.gates.asks[name]; ok {
			d.answer(step, d.gates.given[name])
		}
	}
}

func (d *driver) answer(step, text string) {
	var a record.Answer
	err := json.Unmarshal([]byte(text), &a)
	switch {
	case len(text) > record.MaxAnswer:
		err = fmt.Errorf("it has %d bytes, and may have %d", len(text), record.MaxAnswer)
	case err == nil:
		err = d.state.Check(step, &a)
	}
	var late *engine.NotAskingError
	switch {
	case err == nil:
		d.feed(record.Event{Type: record.ApprovalGiven, Step: step, Answer: &a})
		d.async(func(context.Context) func() { _ = d.journal.Flush(); return nil })
	case errors.As(err, &late):
	case !d.gates.refused[step+text]:
		d.gates.refused[step+text] = true
		d.warn(step, "an answer that can't be taken: "+err.Error())
	}
}
