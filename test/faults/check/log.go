package check

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// read reads the records of the run.
func (j *judge) read() {
	ctx := context.Background()
	run, err := history.Run(ctx, j.in.Store, "ns", j.Program.Pipeline, j.Name)
	if err != nil {
		return
	}
	j.record = run
	j.end, _ = history.End(ctx, j.in.Store, run)
}

// logged: the log, folded, leads to the recorded end; it is in order, and nothing is missing in it.
func (j *judge) logged() {
	if j.record == nil || j.end == nil {
		return
	}
	ctx := context.Background()
	fold, err := history.NewFold(j.Program, j.record)
	if err != nil {
		j.wrong(0, "the program can't be folded: %s", err)
		return
	}
	var folded *record.End
	started, ended := map[record.AttemptID]bool{}, map[record.AttemptID]bool{}
	seq := int64(0)
	err = fold.Read(ctx, j.in.Store, j.record, func(e *record.Event, actions []engine.Action) {
		if e.Seq != seq+1 {
			j.wrong(0, "event %d follows event %d", e.Seq, seq)
		}
		seq = e.Seq
		if e.Type == record.AttemptEnded {
			ended[record.AttemptID{Step: e.Step, Attempt: e.Attempt}] = true
		}
		for _, a := range actions {
			switch a := a.(type) {
			case engine.StartAttempt:
				started[record.AttemptID{Step: a.Step, Attempt: a.Attempt}] = true
			case engine.End:
				folded = &a.End
			}
		}
	})
	if err != nil {
		j.wrong(0, "the log can't be read: %s", err)
	}
	if folded == nil || text(folded) != text(j.end) {
		j.wrong(0, "the log leads to the end %q, and %q is recorded", text(folded), text(j.end))
	}
	for id := range started {
		if !ended[id] {
			j.wrong(0, "attempt %d of %s has no end in the log", id.Attempt, id.Step)
		}
		j.keeps(ctx, id)
	}
	if _, err := j.in.Store.Stat(ctx, record.ProgramKey(j.record.Program)); err != nil {
		j.wrong(0, "the program is not in the store")
	}
	if _, err := j.in.Store.Stat(ctx, j.record.IndexKey()); err != nil {
		j.wrong(0, "the run is not in the list of runs")
	}
}

// keeps checks that everything that a committed result refers to is in the store.
func (j *judge) keeps(ctx context.Context, id record.AttemptID) {
	dir := j.record.AttemptDir(id.Step, id.Attempt)
	r, err := store.ReadJSON[record.Result](ctx, j.in.Store, dir+"/result.json")
	if errors.Is(err, store.ErrNotExist) {
		return
	}
	if err != nil {
		j.wrong(0, "the result of attempt %d of %s: %s", id.Attempt, id.Step, err)
	}
	log := ""
	for i := range r.Log.Segments {
		data, err := store.ReadAll(ctx, j.in.Store, fmt.Sprintf("%s/log/%06d", dir, i))
		if err != nil {
			j.wrong(0, "segment %d of the log of attempt %d of %s is not in the store", i, id.Attempt, id.Step)
		}
		log += string(data)
	}
	if want := j.Script.Of(id.Step, id.Attempt, 1).Log; r.Status == record.Succeeded && log != want {
		j.wrong(0, "the log of attempt %d of %s is %q, expected %q", id.Attempt, id.Step, log, want)
	}
	for i := range r.Outputs {
		if a := r.Outputs[i].Artifact; a != nil {
			if _, err := j.in.Store.Stat(ctx, record.BlobKey(a.Digest)); err != nil {
				j.wrong(0, "output %s of attempt %d of %s is not in the store", r.Outputs[i].Name, id.Attempt, id.Step)
			}
		}
	}
}

// text describes an end.
func text(e *record.End) string {
	if e == nil {
		return "none"
	}
	out := fmt.Sprintf("%s %s", e.Status, e.Reason)
	for i := range e.Steps {
		s := &e.Steps[i]
		out += fmt.Sprintf("; %s %s %s %d", s.Name, s.Status, s.Reason, s.Attempts)
	}
	return out
}
