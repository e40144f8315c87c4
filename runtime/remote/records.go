package remote

import (
	"sort"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// records reads the state of a run from its records, and adds to the timeline what the coordinator's log did not contain.
// Owned by the loop goroutine.
type records struct {
	loop     *loop
	reader   *runs.Reader
	run      *record.Run // its names only
	timeline *timeline
	logs     *logs
	missing  missingRights

	reading bool
	again   bool      // sync was called meanwhile: what it asks for may have been written since
	readAt  time.Time // when it was last read
}

// sync reads the records in the background. If that is already happening, they are read once more afterwards.
func (r *records) sync() {
	if r.timeline.done {
		return
	}
	if r.reading {
		r.again = true
		return
	}
	r.reading, r.again = true, false
	r.loop.spawn(func() {
		detail, err := r.read()
		r.loop.call(func() {
			r.reading, r.readAt = false, time.Now()
			if err == nil {
				r.add(detail)
			}
			if r.again {
				r.sync()
			}
		})
	})
}

// tick reads the records every few seconds if a right is missing: the watches don't see everything then.
func (r *records) tick() {
	if len(r.missing) > 0 && time.Since(r.readAt) > storeEvery {
		r.sync()
	}
}

// read may be called from any goroutine.
func (r *records) read() (*runs.Detail, error) {
	run, err := r.reader.Read(r.loop.ctx, r.run.Namespace, r.run.Pipeline, r.run.Name)
	if err != nil {
		return nil, err
	}
	return r.reader.Show(r.loop.ctx, run)
}

func (r *records) add(d *runs.Detail) {
	steps := d.Steps
	sort.SliceStable(steps, func(i, j int) bool { return steps[i].StartedAt.Before(steps[j].StartedAt) })
	for i := range steps {
		s := &steps[i]
		r.timeline.takeStep(s)
		if s.Status == record.Running {
			r.logs.running(record.AttemptID{Step: s.Name, Attempt: s.Attempts}, r.missing["pods"])
		}
	}
	if d.End != nil {
		r.timeline.takeEnd(d.End)
	}
}
