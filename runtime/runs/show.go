package runs

import (
	"context"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/schema/record"
)

// Detail is a run with its steps.
type Detail struct {
	Run    *record.Run   `json:"run"`
	Status record.Status `json:"status"`
	// End is nil if the run has not ended.
	End *record.End `json:"end,omitempty"`
	// Steps are in the order of the program, or those of End if it exists.
	Steps []record.StepEnd `json:"steps"`
}

// State reads the status of a run without its steps.
func (r *Reader) State(ctx context.Context, run *record.Run) (*Detail, error) {
	end, err := r.End(ctx, run)
	if err != nil {
		return nil, err
	}
	d := &Detail{Run: run, Status: r.status(run, end), End: end}
	if d.Status == record.Lost && end == nil { // it may have ended between the two reads
		if d.End, err = r.End(ctx, run); d.End != nil {
			d.Status = d.End.Status
		}
	}
	return d, err
}

// Show reads the status of a run and its steps.
func (r *Reader) Show(ctx context.Context, run *record.Run) (*Detail, error) {
	for {
		end, err := r.End(ctx, run)
		if err != nil {
			return nil, err
		}
		if end != nil {
			return &Detail{Run: run, Status: end.Status, End: end, Steps: end.Steps}, nil
		}
		status := r.status(run, nil)
		steps, err := history.Steps(ctx, r.store, run)
		if err != nil {
			return nil, err
		}
		if end, err := r.End(ctx, run); err != nil || end != nil {
			continue // it ended in the meantime
		}
		return &Detail{Run: run, Status: status, Steps: steps}, nil
	}
}
