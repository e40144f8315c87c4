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
	Program *program.Program
	Times   []time.Time // in UTC, ascending
}

// MaxBackfill is the largest number of runs that one backfill starts.
const MaxBackfill = 1000

// Backfill returns the runs that the schedule of a pipeline would have started between two moments, which both count.
func (s *Stack) Backfill(pipeline string, from, to time.Time) (*Backfill, error) {
	p, err := s.Pipeline(pipeline)
	if err != nil {
		return nil, err
	}
	if p.Schedule == nil {
		return nil, fault.Userf("pipeline %s has no schedule, so no times to fill in", p.Pipeline).WithHint("`pipec run --scheduled-at TIME` starts one run for a time.")
	}
	if to.Before(from) {
		return nil, fault.Usagef("the backfill ends at %s, before it begins at %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	out := &Backfill{Program: p}
	for after := from.Add(-time.Second); ; {
		next, err := schedule.Next(p.Schedule, after, 1)
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
	return strings.TrimRight(kube.Name(b.Program.Pipeline, kube.MaxName-len(suffix)), "-") + suffix
}
