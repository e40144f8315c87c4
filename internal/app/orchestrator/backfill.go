package orchestrator

import (
	"strings"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/schedule"
)

// Backfill is the runs that a schedule would have started.
type Backfill struct {
	Program  *program.Program
	Schedule string      // its name; "": the only one, without a name
	Times    []time.Time // in UTC, ascending
}

// Schedule returns the schedule of a pipeline with a name. Without a name, it returns the one that has none, or nil.
func Schedule(p *program.Program, name string) (*program.Schedule, error) {
	s := p.Schedule(name)
	if s != nil || name == "" {
		return s, nil
	}
	var have []string
	for i := range p.Schedules {
		have = append(have, p.Schedules[i].Name)
	}
	err := fault.Userf("pipeline %s has no schedule %q", p.Pipeline, name)
	if len(have) > 0 && have[0] != "" {
		return nil, err.WithHint("Its schedules: %s.", strings.Join(have, ", "))
	}
	return nil, err
}

// chosen returns the schedule of a backfill. The only one needs no name.
func chosen(p *program.Program, name string) (*program.Schedule, error) {
	switch {
	case len(p.Schedules) == 0:
		return nil, fault.Userf("pipeline %s has no schedule, so no times to fill in", p.Pipeline).WithHint("`pipec run --scheduled-at TIME` starts one run for a time.")
	case name != "":
		return Schedule(p, name)
	case len(p.Schedules) == 1:
		return &p.Schedules[0], nil
	}
	var have []string
	for i := range p.Schedules {
		have = append(have, p.Schedules[i].Name)
	}
	return nil, fault.Usagef("pipeline %s has several schedules: choose one with --schedule", p.Pipeline).WithHint("They are %s.", strings.Join(have, ", "))
}

// MaxBackfill is the largest number of runs that one backfill starts.
const MaxBackfill = 1000

// Backfill returns the runs that a schedule of a pipeline would have started between two moments, which both count. The only schedule
// needs no name.
func (s *Stack) Backfill(pipeline, name string, from, to time.Time) (*Backfill, error) {
	p, err := s.Pipeline(pipeline)
	if err != nil {
		return nil, err
	}
	of, err := chosen(p, name)
	if err != nil {
		return nil, err
	}
	if to.Before(from) {
		return nil, fault.Usagef("the backfill ends at %s, before it begins at %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	out := &Backfill{Program: p, Schedule: of.Name}
	for after := from.Add(-time.Second); ; {
		next, err := schedule.Next(of, after, 1)
		if err != nil {
			return nil, fault.As(fault.User, err)
		}
		if len(next) == 0 || next[0].After(to) {
			return out, nil
		}
		if len(out.Times) == MaxBackfill {
			return nil, fault.Usagef("the schedule has more than %d times from %s to %s", MaxBackfill, from.Format(time.RFC3339), to.Format(time.RFC3339)).
				WithHint("Divide the range.")
		}
		after = next[0]
		out.Times = append(out.Times, after.UTC())
	}
}

// RunName returns the name of the run for a time. It is the same whenever a backfill is repeated, so that runs that exist are
// found again.
func (b *Backfill) RunName(at time.Time) string {
	suffix := "-" + at.UTC().Format("20060102-1504")
	name := b.Program.Pipeline
	if b.Schedule != "" {
		name += "-" + b.Schedule
	}
	return strings.TrimRight(kube.Name(name, kube.MaxName-len(suffix)), "-") + suffix
}
