// Package shape has what `pipec ui` sends to its page, as JSON: flat, small types that the page draws as they are, and the
// functions that make them from records. The types of the page in ui/src/api.ts are the same.
//
// It reads no store and knows nothing of HTTP.
package shape

import (
	"encoding/json"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/record"
)

// Session is what the page has to know before anything else.
type Session struct {
	Version string  `json:"version"`
	Token   string  `json:"token"` // for requests that change something
	Stacks  []Stack `json:"stacks"`
}

// Stack is one of the stacks whose runs the page shows.
type Stack struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // of its orchestrator
}

// Row is a run in the list of runs.
type Row struct {
	Stack     string                     `json:"stack"`
	Pipeline  string                     `json:"pipeline"`
	Name      string                     `json:"name"`
	Status    record.Status              `json:"status"`
	CreatedAt time.Time                  `json:"created_at"`
	EndedAt   time.Time                  `json:"ended_at,omitzero"`
	Message   string                     `json:"message,omitempty"`
	RerunOf   string                     `json:"rerun_of,omitempty"`
	Schedule  string                     `json:"schedule,omitempty"`
	Params    map[string]json.RawMessage `json:"params,omitempty"`
	Outputs   map[string]json.RawMessage `json:"outputs,omitempty"` // those that are values
}

// List is a part of the list of runs.
type List struct {
	Runs      []Row    `json:"runs"`
	More      bool     `json:"more"` // there are more runs than the limit
	Pipelines []string `json:"pipelines"`
	Faults    []string `json:"faults,omitempty"` // of stacks that can't be read
}

// Damaged is the status of a run whose records can't be read.
const Damaged record.Status = "damaged"

// maxCell is the size of a value in a list, in bytes. Longer ones are shortened, as strings.
const maxCell = 200

// NewRow returns a run in a list.
func NewRow(stack string, s *runs.Summary) Row {
	row := Row{
		Stack: stack, Pipeline: s.Run.Pipeline, Name: s.Run.Name, Status: s.Status, CreatedAt: s.Run.CreatedAt, EndedAt: s.EndedAt,
		Message: record.Shorten(s.Message, 500), RerunOf: s.Run.RerunOf, Schedule: s.Run.Schedule,
	}
	for name, value := range s.Run.Params {
		row.Params = with(row.Params, name, value)
	}
	for i := range s.Outputs {
		if o := &s.Outputs[i]; o.Value != nil {
			row.Outputs = with(row.Outputs, o.Name, o.Value)
		}
	}
	return row
}

func with(m map[string]json.RawMessage, name string, value json.RawMessage) map[string]json.RawMessage {
	if m == nil {
		m = map[string]json.RawMessage{}
	}
	if m[name] = value; len(value) > maxCell {
		text, err := json.Marshal(record.Clip(string(value), maxCell))
		if err == nil {
			m[name] = text
		}
	}
	return m
}

// Run is a run with its steps.
type Run struct {
	Row
	Namespace   string     `json:"namespace"`
	Program     string     `json:"program"`
	ScheduledAt *time.Time `json:"scheduled_at,omitempty"`
	Inputs      []Datum    `json:"inputs,omitempty"` // the params
	Results     []Datum    `json:"results,omitempty"`
	Steps       []Step     `json:"steps"`
	Commands    Commands   `json:"commands"`
}

// Commands are the commands that do the same in a terminal.
type Commands struct {
	Show   string `json:"show"`
	Logs   string `json:"logs"`
	Cancel string `json:"cancel"`
	Rerun  string `json:"rerun"`
}

// Step is a step of a run, or a part of one.
type Step struct {
	Name      string        `json:"name"`
	Status    record.Status `json:"status"`
	Cached    bool          `json:"cached,omitempty"`
	Kept      bool          `json:"kept,omitempty"`
	Attempts  int           `json:"attempts,omitempty"`
	Why       string        `json:"why,omitempty"`
	StartedAt time.Time     `json:"started_at,omitzero"`
	EndedAt   time.Time     `json:"ended_at,omitzero"`
	Asks      bool          `json:"asks,omitempty"` // it waits for approval
}

// NewStep returns a step.
func NewStep(s *record.StepEnd) Step {
	return Step{
		Name: s.Name, Status: s.Status, Cached: s.Cached, Kept: s.Kept, Attempts: max(s.Attempts, s.Calls), Why: view.Why(s),
		StartedAt: s.StartedAt, EndedAt: s.EndedAt, Asks: s.Ask != nil && !s.Status.Ended(),
	}
}

// NewSteps returns steps in their order.
func NewSteps(steps []record.StepEnd) []Step {
	out := make([]Step, len(steps))
	for i := range steps {
		out[i] = NewStep(&steps[i])
	}
	return out
}

// NewRun returns a run with its steps.
func NewRun(stack string, d *runs.Detail) Run {
	s := runs.Summary{Run: d.Run, Status: d.Status}
	if d.End != nil {
		s.EndedAt, s.Reason, s.Message, s.Outputs = d.End.At, d.End.Reason, d.End.Message, d.End.Outputs
	}
	out := Run{
		Row: NewRow(stack, &s), Namespace: d.Run.Namespace, Program: d.Run.Program, ScheduledAt: d.Run.ScheduledAt,
		Inputs: params(d.Run), Results: NewData(s.Outputs), Steps: NewSteps(d.Steps),
	}
	out.Message = s.Message
	return out
}
