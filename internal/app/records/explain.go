package records

import (
	"context"
	"errors"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/runs"
)

// Explain reads what is known about a step of a run.
func (r *Records) Explain(ctx context.Context, pipeline, name, step string) (*runs.Explanation, error) {
	run, err := Find(ctx, r.reader, pipeline, name)
	if err != nil {
		return nil, err
	}
	x, err := r.reader.Explain(ctx, run, step)
	return x, NoStep(err)
}

// NoStep makes a *runs.NoStepError a fault that suggests a step.
func NoStep(err error) error {
	var none *runs.NoStepError
	if !errors.As(err, &none) {
		return fault.Env(err)
	}
	f := fault.As(fault.Usage, err)
	if near := diag.Suggest(none.Step, none.Have); near != "" {
		return fault.Usagef("%w; did you mean %q?", none, near)
	}
	return f
}
