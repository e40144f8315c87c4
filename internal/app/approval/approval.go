// Package approval finds the approval of a run that a user wants to answer, and makes the answer. Bringing the answer to the
// run is the orchestrator's.
package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/inputs"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Given is what a user answers.
type Given struct {
	Value          string // a literal of the approval's type, or @FILE
	Valued, Reject bool
	Reason         string
}

// Find finds the step that waits for approval, by the run's records. An empty step means the only one that waits.
func Find(ctx context.Context, reader *runs.Reader, run *record.Run, step string) (*record.StepEnd, error) {
	detail, err := reader.Show(ctx, run)
	if err != nil {
		return nil, fault.Env(err)
	}
	switch {
	case detail.End != nil:
		text := fmt.Sprintf("run %s has ended already: %s", run.Name, detail.End.Status)
		if s := detail.Step(step); s != nil && s.Ask != nil {
			text += "; of " + step + ": " + runs.HowAnswered(s)
		}
		return nil, fault.Userf("%s", text)
	case detail.Status == record.Lost:
		return nil, fault.Userf("nothing drives run %s: `pipec rerun %s` resumes it", run.Name, run.Name)
	}
	p, err := reader.Program(ctx, run)
	if err != nil {
		return nil, fault.Env(err)
	}
	s, err := detail.Approval(p, step)
	var none *runs.NoApprovalError
	switch {
	case errors.As(err, &none) && none.Unknown:
		text := none.Error()
		if near := diag.Suggest(step, addresses(detail, p)); step != "" && near != "" {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, &fault.Fault{Kind: fault.Usage, Message: text, Err: none}
	case err != nil:
		return nil, fault.As(fault.User, err)
	}
	return s, nil
}

// addresses are those of the pipeline's approvals, and of those that the run has so far.
func addresses(d *runs.Detail, p *program.Program) []string {
	var out []string
	for _, s := range p.All() {
		if s.Approval != nil {
			out = append(out, s.Name)
		}
	}
	for i := range d.Steps {
		if d.Steps[i].Ask != nil {
			out = append(out, d.Steps[i].Name)
		}
	}
	return out
}

// Answer makes an answer to what a step asks.
func Answer(asked *record.StepEnd, g Given) (*record.Answer, error) {
	out := &record.Answer{At: time.Now().UTC().Round(0), Reject: g.Reject, Reason: g.Reason}
	ask := asked.Ask
	switch {
	case g.Reject:
	case ask.Type == "" && g.Valued:
		return nil, fault.Usagef("%s asks for no value: remove --value", asked.Name)
	case ask.Type != "" && !g.Valued:
		return nil, fault.Usagef("%s asks for a value: --value VALUE, of the type %s", asked.Name, ask.Type)
	case g.Valued:
		want, err := types.ParseString(ask.Type)
		if err != nil {
			return nil, fault.Env(err)
		}
		if out.Value, err = inputs.Value("--value", want, g.Value, nil); err != nil {
			return nil, err
		}
	}
	if err := engine.CheckAnswer(ask, out); err != nil {
		return nil, fault.As(fault.Usage, err)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fault.Env(err)
	}
	if len(data) > record.MaxAnswer {
		return nil, fault.Usagef("the answer has %d bytes; at most %d are allowed", len(data), record.MaxAnswer).
			WithHint("let a step fetch larger data as an artifact")
	}
	return out, nil
}
