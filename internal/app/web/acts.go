package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Act is a request to change something.
type Act struct {
	Stack    string `json:"stack"`
	Pipeline string `json:"pipeline"`
	Run      string `json:"run"`
	Step     string `json:"step,omitempty"`
	Reject   bool   `json:"reject,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Value    string `json:"value,omitempty"`
	Valued   bool   `json:"valued,omitempty"`
	// From are the steps that a rerun runs again although they succeeded.
	From []string `json:"from,omitempty"`
}

// Done is what was done.
type Done struct {
	Run  string `json:"run"`
	Text string `json:"text"`
}

// Plan is what a rerun would do.
type Plan struct {
	Command string           `json:"command"`
	Resume  bool             `json:"resume"`
	Steps   []rerun.Decision `json:"steps"`
	More    int              `json:"more,omitempty"` // decisions that are left out
	Nothing string           `json:"nothing,omitempty"`
}

// maxDecisions is how many decisions of a rerun the page shows.
const maxDecisions = 500

// act reads a request, and finds its run. The caller calls done of the run.
func (s *Server) act(r *http.Request) (*Act, *at, error) {
	var act Act
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&act); err != nil {
		return nil, nil, fault.Usagef("the request can't be read: %w", err)
	}
	a, err := s.find(r, act.Stack, act.Pipeline, act.Run)
	return &act, a, err
}

func (a *at) request() orchestrator.RunRequest {
	return orchestrator.RunRequest{Pipeline: a.run.Pipeline, Name: a.run.Name}
}

// cancel asks for a run to be cancelled. The page sees its end as that of any run.
func (s *Server) cancel(w http.ResponseWriter, r *http.Request) error {
	_, a, err := s.act(r)
	if err != nil {
		return err
	}
	defer a.done()
	got, err := a.of.Runs.Cancel(r.Context(), &orchestrator.CancelRequest{RunRequest: a.request()})
	if err != nil {
		return err
	}
	return reply(w, Done{got.Run, "The run was asked to end."})
}

// answer answers an approval.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) error {
	act, a, err := s.act(r)
	if err != nil {
		return err
	}
	defer a.done()
	if len(act.Value) > 0 && act.Value[0] == '@' {
		return badRequest("the page reads no files: give the value itself")
	}
	got, err := a.of.Runs.Answer(r.Context(), &orchestrator.AnswerRequest{
		RunRequest: a.request(), Step: act.Step, Value: act.Value, Valued: act.Valued, Reject: act.Reject, Reason: act.Reason,
	})
	if err != nil {
		return err
	}
	text := "The step is approved."
	if act.Reject {
		text = "The step is rejected."
	}
	return reply(w, Done{got.Run, text})
}

// rerunRequest returns the request of a rerun.
func (act *Act) rerunRequest(a *at) *orchestrator.RerunRequest {
	return &orchestrator.RerunRequest{Run: a.request(), From: act.From, StartRequest: orchestrator.StartRequest{NoLines: true}}
}

// planned returns the plan of a rerun, for the project as it is now.
func (s *Server) planned(ctx context.Context, a *at, request *orchestrator.RerunRequest) (*orchestrator.RerunPlan, error) {
	runner, err := a.of.Runner()
	if err != nil {
		return nil, err
	}
	return runner.Rerun(ctx, request)
}

// plan writes what a rerun would do.
func (s *Server) plan(w http.ResponseWriter, r *http.Request) error {
	act, a, err := s.act(r)
	if err != nil {
		return err
	}
	defer a.done()
	got, err := s.planned(r.Context(), a, act.rerunRequest(a))
	if err != nil {
		return err
	}
	var args []string
	for _, step := range act.From {
		args = append(args, "--from", step)
	}
	out := Plan{Command: a.command("rerun", args...), Resume: got.Resume, Steps: got.Steps, Nothing: got.Nothing}
	if out.Steps == nil {
		out.Steps = []rerun.Decision{}
	}
	if out.More = len(out.Steps) - maxDecisions; out.More > 0 {
		out.Steps = out.Steps[:maxDecisions]
	} else {
		out.More = 0
	}
	return reply(w, out)
}

// rerun starts a rerun, and answers when the run has begun. If this process drives it, it continues after the request.
func (s *Server) rerun(w http.ResponseWriter, r *http.Request) error {
	act, a, err := s.act(r)
	if err != nil {
		return err
	}
	defer a.done()
	request := act.rerunRequest(a)
	began := make(chan string, 1)
	request.Watch = func(*program.Program) func(record.Event) {
		var once sync.Once
		return func(e record.Event) {
			if e.Run != "" {
				once.Do(func() { began <- e.Run })
			}
		}
	}
	interrupts, err := s.driven.begin()
	if err != nil {
		return err
	}
	request.Interrupts = interrupts
	ctx := context.WithoutCancel(r.Context()) // the run continues after the request
	plan, err := s.planned(ctx, a, request)
	if err == nil && plan.Nothing != "" {
		err = fault.Userf("%s", plan.Nothing)
	}
	if err != nil {
		s.driven.ended(interrupts)
		return err
	}
	type outcome struct {
		run string
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		out, err := plan.Start(ctx)
		name := ""
		if out != nil {
			name = out.Run
		}
		s.driven.ended(interrupts)
		ended <- outcome{name, err}
	}()
	select {
	case name := <-began:
		s.driven.named(interrupts, name)
		if s.o.Started != nil {
			s.o.Started(name)
		}
		return reply(w, Done{name, "The run has begun."})
	case got := <-ended:
		if got.err != nil && got.run == "" {
			return got.err
		}
		return reply(w, Done{got.run, "The run has ended."})
	}
}
