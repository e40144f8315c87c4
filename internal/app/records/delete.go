package records

import (
	"context"
	"errors"
	"slices"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Selection selects runs.
type Selection struct {
	Pipeline string          // "": any
	Status   []record.Status // empty: any
	Since    time.Time       // only runs that were created later; zero: any
	Before   time.Time       // only runs that were created earlier; zero: any
	Limit    int             // 0: all
}

// Select passes on the selected runs, the newest first. It reports whether there are more than the limit.
func (r *Records) Select(ctx context.Context, s *Selection, each func(runs.Summary) error) (more bool, err error) {
	n := 0
	err = r.List(ctx, s.Pipeline, func(one runs.Summary) (bool, error) {
		switch {
		case !s.Since.IsZero() && one.Run.CreatedAt.Before(s.Since):
			return false, nil // all others are older
		case !s.Before.IsZero() && !one.Run.CreatedAt.Before(s.Before), len(s.Status) > 0 && !slices.Contains(s.Status, one.Status):
			return true, nil
		case s.Limit > 0 && n == s.Limit:
			more = true
			return false, nil
		}
		n++
		return true, each(one)
	})
	return more, err
}

// Deletable returns the runs that names refer to, or, without names, the selected ones, as far as they have ended or are lost.
// A run that is named and is running is a fault.
func (r *Records) Deletable(ctx context.Context, names []string, s *Selection) ([]runs.Summary, error) {
	var out []runs.Summary
	if len(names) == 0 {
		_, err := r.Select(ctx, s, func(one runs.Summary) error {
			if one.Status != record.Running {
				out = append(out, one)
			}
			return nil
		})
		return out, err
	}
	for _, name := range names {
		d, err := r.Show(ctx, s.Pipeline, name)
		if err != nil {
			return nil, err
		}
		if d.Status == record.Running {
			return nil, running(d.Run.Name)
		}
		if !slices.ContainsFunc(out, func(one runs.Summary) bool { return one.Run.Name == d.Run.Name && one.Run.Pipeline == d.Run.Pipeline }) {
			out = append(out, runs.Summary{Run: d.Run, Status: d.Status})
		}
	}
	return out, nil
}

func running(name string) error {
	return fault.Userf("run %s is running and can't be deleted", name).WithHint("`pipec cancel %s` ends it.", name)
}

// Delete removes the records of a run.
func (r *Records) Delete(ctx context.Context, run *record.Run) error {
	err := r.reader.Delete(ctx, run)
	var driven *runs.DrivenError
	if errors.As(err, &driven) {
		return running(driven.Run)
	}
	return fault.Env(err)
}
