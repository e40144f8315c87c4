package drive

import "pipec.dev/pipec/schema/record"

// observe notifies observers of an event.
func (r *Run) observe(e record.Event) {
	if r.c.Observe != nil {
		r.c.Observe(e)
	}
}

// notify notifies observers of what the engine reports. That an approval waits for an answer is held back until Announce.
func (r *Run) notify(e record.Event) {
	switch e.Type {
	case record.StepAsks:
		r.asks[e.Step] = e
		return
	case record.StepEnded:
		delete(r.asks, e.Step)
	}
	r.observe(e)
}

// Announce notifies observers that an approval waits for an answer, if it still waits. The driver calls it for each
// engine.RequestApproval after it has flushed the log: a user who answers reads the question in the log.
func (r *Run) Announce(step string) {
	if e, ok := r.asks[step]; ok {
		delete(r.asks, step)
		r.observe(e)
	}
}

// Report notifies observers of something that is not part of the log: a warning, a wait, a line that a step has written.
func (r *Run) Report(e record.Event) { r.observe(Complete(r.c.Record, e)) }

// Warn reports what the run continues without.
func (r *Run) Warn(step, text string) {
	r.Report(record.Event{Type: record.Warned, Step: step, Text: text})
}

// Complete returns an event that is not part of the log with the fields that every event of a run has.
func Complete(run *record.Run, e record.Event) record.Event {
	e.Version, e.Run = record.Version, run.Name
	if e.At.IsZero() {
		e.At = Now()
	}
	return e
}

// Ended returns the event that observers are notified of at the end of a run. It is not part of the log.
func Ended(run *record.Run, end *record.End) record.Event {
	return Complete(run, record.Event{Type: record.RunEnded, At: end.At, RunEnd: end})
}
