package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Condition is what Wait waits for.
type Condition struct {
	Text   string
	Step   string        // "": the run
	Status record.Status // "": any end
	Asks   bool          // the step waits for approval
}

// waitStatuses are the statuses that can be waited for.
var waitStatuses = []string{"cancelled", "failed", "lost", "running", "skipped", "succeeded", "timed_out"}

// StepStatuses returns the statuses of steps that can be waited for.
func StepStatuses() []string { return slices.Clone(waitStatuses) }

// ParseCondition reads a condition: end, status=STATUS, step=STEP, step=STEP=STATUS or step=STEP=waiting.
func ParseCondition(text string) (Condition, error) {
	c := Condition{Text: text}
	kind, rest, _ := strings.Cut(text, "=")
	switch {
	case text == "end":
		return c, nil
	case kind == "status" && slices.Contains(waitStatuses, rest) && rest != string(record.Skipped):
		c.Status = record.Status(rest)
		return c, nil
	case kind == "step" && rest != "":
		c.Step = rest
		at := strings.LastIndexByte(rest, '=')
		if at < 0 || strings.HasSuffix(rest, "]") { // the = is inside a key
			return c, nil
		}
		c.Step, rest = rest[:at], rest[at+1:]
		if c.Asks = rest == "waiting"; c.Asks || slices.Contains(waitStatuses, rest) {
			if !c.Asks {
				c.Status = record.Status(rest)
			}
			return c, nil
		}
	}
	return c, fault.Usagef("--for: expected end, status=STATUS, step=STEP or step=STEP=STATUS, found %q", text).
		WithHint("STATUS is one of %s; a step also has waiting, which means that it waits for approval.", strings.Join(waitStatuses, ", "))
}

// judge reports whether the condition is met by the state of a run. It is a fault if it can't be met any more.
func (c *Condition) judge(d *runs.Detail) (bool, error) {
	status, ended, name := d.Status, d.Status.Ended() || d.Status == record.Lost, "run "+d.Run.Name
	if c.Step != "" {
		s := d.Step(c.Step)
		if s == nil && !ended {
			return false, nil // an instance that does not exist yet
		}
		if s == nil {
			return false, NoStep(&runs.NoStepError{Run: d.Run.Name, Step: c.Step})
		}
		if c.Asks && s.Ask != nil && !s.Status.Ended() {
			return true, nil
		}
		status, ended, name = s.Status, s.Status.Ended() || ended, "step "+c.Step+" of "+name
	}
	switch {
	case c.Status != "" && status == c.Status, c.Status == "" && !c.Asks && ended:
		return true, nil
	case ended:
		return false, fault.Userf("%s is %s, and %s can't be met any more", name, strings.ReplaceAll(string(status), "_", " "), c.Text)
	}
	return false, nil
}

// WaitOptions configure Wait.
type WaitOptions struct {
	For     Condition
	Timeout time.Duration // 0: the condition is checked once; negative: there is no limit
	Every   time.Duration // between two checks
	// Coming is how long a run that has no records yet is waited for.
	Coming time.Duration
}

// Wait waits until a run meets a condition. It is a fault of the user if it can't, or not in time.
func (r *Records) Wait(ctx context.Context, pipeline, name string, o *WaitOptions) (*runs.Detail, error) {
	if o.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, o.Timeout, errTimeout)
		defer stop()
	}
	began := time.Now()
	tick := time.NewTicker(o.Every)
	defer tick.Stop()
	for {
		d, err := r.state(ctx, pipeline, name, &o.For)
		var none *runs.NotFoundError
		switch {
		case ctx.Err() != nil:
		case errors.As(err, &none) && len(none.Fits) == 0 && time.Since(began) < o.Coming:
		case err != nil:
			return nil, err
		default:
			if met, err := o.For.judge(d); met || err != nil {
				return d, err
			}
			name = d.Run.Name // "latest" stays the same run
		}
		if o.Timeout == 0 {
			return nil, late(o.For.Text, name)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTimeout) {
				return nil, late(o.For.Text, name)
			}
			return nil, fault.Interruption(ctx, context.Cause(ctx))
		}
	}
}

var errTimeout = errors.New("the time is up")

// late is the fault of a wait that was too short, in the words of kubectl.
func late(condition, run string) error {
	of := "the latest run"
	if run != "" && run != runs.Latest {
		of = "run " + run
	}
	return fault.Userf("timed out waiting for %s of %s", condition, of)
}

// state reads the state of a run, without its steps if the condition doesn't need them.
func (r *Records) state(ctx context.Context, pipeline, name string, c *Condition) (*runs.Detail, error) {
	run, err := r.reader.Resolve(ctx, pipeline, name)
	if err != nil {
		return nil, NotFound(err)
	}
	if c.Step == "" {
		d, err := r.reader.State(ctx, run)
		return d, fault.Env(err)
	}
	if err := r.reader.CheckSteps(ctx, run, []string{c.Step}); err != nil {
		return nil, NoStep(err)
	}
	d, err := r.reader.Show(ctx, run)
	if err != nil {
		return nil, fault.Env(fmt.Errorf("run %s: %w", run.Name, err))
	}
	return d, nil
}
