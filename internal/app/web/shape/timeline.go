package shape

import (
	"slices"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Timeline is when the steps of a run waited and ran.
type Timeline struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"` // zero: the run has not ended
	Bars []Bar     `json:"bars"`        // in the order in which they began
	Cut  int       `json:"cut,omitempty"`
}

// Bar is one attempt of a step, or a step without attempts.
type Bar struct {
	Step     string        `json:"step"`
	Attempt  int           `json:"attempt,omitempty"`
	Status   record.Status `json:"status"`
	ReadyAt  time.Time     `json:"ready_at,omitzero"`  // when the steps that it needs had ended, or the attempt before
	QueuedAt time.Time     `json:"queued_at,omitzero"` // when the attempt was started: its pod was created
	RanAt    time.Time     `json:"ran_at,omitzero"`    // when the process was started
	EndedAt  time.Time     `json:"ended_at,omitzero"`
	Critical bool          `json:"critical,omitempty"` // the step is on the critical path
}

// maxBars is how many bars are drawn at most.
const maxBars = 2000

// tries are the attempts of a run, by step.
type tries map[string][]Bar

// Times collects the times of attempts from the events of a run. The zero value is usable.
type Times struct{ of tries }

// Add adds an event.
func (t *Times) Add(e *record.Event) {
	if t.of == nil {
		t.of = tries{}
	}
	switch e.Type {
	case record.AttemptStarted:
		t.of[e.Step] = append(t.of[e.Step], Bar{Step: e.Step, Attempt: e.Attempt, Status: record.Running, QueuedAt: e.At})
	case record.AttemptEnded:
		for i := range t.of[e.Step] {
			if b := &t.of[e.Step][i]; b.Attempt == e.Attempt && e.Result != nil {
				b.Status, b.RanAt, b.EndedAt = e.Result.Status, e.Result.StartedAt, e.Result.EndedAt
			}
		}
	}
}

// Timeline returns the timeline of a run.
func (t *Times) Timeline(d *runs.Detail, p *program.Program) *Timeline {
	out := &Timeline{From: d.Run.CreatedAt, Bars: []Bar{}}
	if d.End != nil {
		out.To = d.End.At
	}
	steps := make(map[string]*record.StepEnd, len(d.Steps))
	for i := range d.Steps {
		steps[d.Steps[i].Name] = &d.Steps[i]
	}
	needs := needsOf(p, steps)
	critical := criticalPath(steps, needs)
	for i := range d.Steps {
		s := &d.Steps[i]
		if s.StartedAt.IsZero() {
			continue
		}
		ready := d.Run.CreatedAt
		before, known := needs[s.Name]
		if !known {
			ready = s.StartedAt
		}
		for _, n := range before {
			if n.EndedAt.After(ready) {
				ready = n.EndedAt
			}
		}
		out.Bars = append(out.Bars, t.bars(s, ready, critical[s.Name], d)...)
	}
	slices.SortStableFunc(out.Bars, func(a, b Bar) int { return a.begin().Compare(b.begin()) })
	if len(out.Bars) > maxBars {
		out.Cut, out.Bars = len(out.Bars)-maxBars, out.Bars[:maxBars]
	}
	return out
}

// begin returns when a bar begins.
func (b *Bar) begin() time.Time {
	if b.ReadyAt.IsZero() {
		return b.QueuedAt
	}
	return b.ReadyAt
}

// bars returns the bars of a step: one for each attempt.
func (t *Times) bars(s *record.StepEnd, ready time.Time, critical bool, d *runs.Detail) []Bar {
	list := t.of[s.Name]
	if len(list) == 0 || s.Run != "" && s.Run != d.Run.Name {
		return []Bar{{Step: s.Name, Status: s.Status, RanAt: s.StartedAt, EndedAt: s.EndedAt, ReadyAt: earlier(ready, s.StartedAt), Critical: critical}}
	}
	out := slices.Clone(list)
	for i := range out {
		b := &out[i]
		b.Critical, b.ReadyAt = critical, earlier(ready, b.QueuedAt)
		if ready = b.EndedAt; ready.IsZero() {
			ready = b.QueuedAt
		}
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || a.After(b) {
		return b
	}
	return a
}

// needsOf returns what each step of the run's own pipeline waits for. The steps of finally wait for that step of the others
// that ended last.
func needsOf(p *program.Program, steps map[string]*record.StepEnd) map[string][]*record.StepEnd {
	out := make(map[string][]*record.StepEnd, len(p.Steps)+len(p.Finally))
	add := func(def *program.Step) {
		list := []*record.StepEnd{}
		for _, need := range def.Needs {
			if s := steps[need.Step]; s != nil {
				list = append(list, s)
			}
		}
		out[def.Name] = list
	}
	var last *record.StepEnd
	for i := range p.Steps {
		add(&p.Steps[i])
		if s := steps[p.Steps[i].Name]; s != nil && !s.StartedAt.IsZero() && (last == nil || later(s, last)) {
			last = s
		}
	}
	for i := range p.Finally {
		add(&p.Finally[i])
		if last != nil {
			out[p.Finally[i].Name] = append(out[p.Finally[i].Name], last)
		}
	}
	return out
}

// criticalPath returns the steps that decided when the run ended: the step that ended last, the need of it that ended last,
// and so on.
func criticalPath(steps map[string]*record.StepEnd, needs map[string][]*record.StepEnd) map[string]bool {
	out := map[string]bool{}
	var last *record.StepEnd
	for name := range needs {
		if s := steps[name]; s != nil && !s.StartedAt.IsZero() && (last == nil || later(s, last)) {
			last = s
		}
	}
	for last != nil && !out[last.Name] {
		out[last.Name] = true
		before := needs[last.Name]
		last = nil
		for _, s := range before {
			if !s.StartedAt.IsZero() && (last == nil || later(s, last)) {
				last = s
			}
		}
	}
	return out
}

// later reports whether a step ended later than another one. A step that has not ended counts as the latest.
func later(a, b *record.StepEnd) bool {
	switch {
	case a.EndedAt.Equal(b.EndedAt):
		return a.Name < b.Name
	case a.EndedAt.IsZero() || b.EndedAt.IsZero():
		return a.EndedAt.IsZero()
	}
	return a.EndedAt.After(b.EndedAt)
}
