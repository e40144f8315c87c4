// Package machine is the orchestrator of this machine: the process that starts a run drives it, as processes beside itself,
// with runtime/local.
package machine

import (
	"context"
	"errors"
	osuser "os/user"

	"pipec.dev/pipec/internal/app/approval"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Machine is this machine as the orchestrator of a stack.
type Machine struct{ stack *orchestrator.Stack }

// Open returns the orchestrator of a stack.
func Open(s *orchestrator.Stack) orchestrator.Orchestrator { return &Machine{s} }

func (m *Machine) options(p *program.Program) local.Options {
	tables := m.stack.Tables()
	return local.Options{
		Project: m.stack.Dir(), Program: p, Stack: m.stack.Stack, Kinds: tables.Kinds, Stores: tables.Stores, Environ: m.stack.Env(),
	}
}

// Reader reads the records of all runs of machines.
func (m *Machine) Reader(ctx context.Context) (*runs.Reader, error) {
	return m.stack.OpenRecords(ctx, runs.Namespace)
}

// find finds a run.
func (m *Machine) find(ctx context.Context, r *orchestrator.RunRequest) (*runs.Reader, *record.Run, error) {
	reader, err := m.Reader(ctx)
	if err != nil {
		return nil, nil, err
	}
	run, err := records.Find(ctx, reader, r.Pipeline, r.Name)
	if err != nil {
		_ = reader.Close()
		return nil, nil, err
	}
	return reader, run, nil
}

// Logs passes on the log lines of a run.
func (m *Machine) Logs(ctx context.Context, r *orchestrator.LogsRequest) error {
	reader, run, err := m.find(ctx, &r.RunRequest)
	if err != nil {
		return err
	}
	defer reader.Close()
	return classify(ctx, reader.Logs(ctx, run, r.LogOptions, r.Line))
}

// Cancel asks the run's driver to cancel it. A run without a driver is ended as it is.
func (m *Machine) Cancel(ctx context.Context, r *orchestrator.CancelRequest) (*orchestrator.Cancelled, error) {
	reader, run, err := m.find(ctx, &r.RunRequest)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	end, err := reader.End(ctx, run)
	if err != nil {
		return nil, fault.Env(err)
	}
	if end != nil {
		return nil, fault.Userf("run %s has ended already: %s", run.Name, end.Status)
	}
	if r.Wait {
		m.stack.Notify(notice.Infof("Run %s was asked to end; waiting for its end.", run.Name))
	}
	end, err = local.Cancel(ctx, m.options(nil), run, r.Wait)
	if err != nil && ctx.Err() != nil {
		return nil, &fault.Fault{Kind: fault.Interrupted, Message: "The run was asked to end; its end is not waited for.", Err: err}
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	return &orchestrator.Cancelled{Run: run.Name, End: end}, nil
}

// Answer brings an answer to the run's driver.
func (m *Machine) Answer(ctx context.Context, r *orchestrator.AnswerRequest) (*orchestrator.Answered, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	reader, run, err := m.find(ctx, &r.RunRequest)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	asked, err := approval.Find(ctx, reader, run, r.Step)
	if err != nil {
		return nil, err
	}
	answer, err := approval.Answer(asked, approval.Given{Value: r.Value, Valued: r.Valued, Reject: r.Reject, Reason: r.Reason})
	if err != nil {
		return nil, err
	}
	answer.By = user()
	end, err := local.Approve(ctx, m.options(nil), run, asked.Name, answer)
	if err != nil && ctx.Err() != nil {
		return nil, &fault.Fault{Kind: fault.Interrupted, Message: "The answer was given; whether the run takes it is not waited for.", Err: err}
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	return &orchestrator.Answered{Run: run.Name, End: end}, nil
}

// user is the name of the user that this process runs as; "" if it is not known.
func user() string {
	u, err := osuser.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// Check tries the artifact store, and the Python interpreter if a step needs one.
func Check(ctx context.Context, s *orchestrator.Stack) []store.Finding {
	python := false
	for _, p := range s.Programs {
		for _, step := range p.Every() {
			python = python || step.Interpreter() == program.NeedsPython
		}
	}
	return local.Check(ctx, (&Machine{s}).options(nil), python)
}

// classify makes an error of runtime/local a fault.
func classify(ctx context.Context, err error) error {
	var (
		unknown *rerun.UnknownStepError
		none    *runs.NoStepError
		refusal *drive.Refusal
	)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Interruption(ctx, err)
	case errors.As(err, &unknown):
		return fault.As(fault.Usage, err)
	case errors.As(err, &none):
		return records.NoStep(err)
	case !errors.As(err, &refusal):
		return fault.Env(err)
	}
	kind := fault.User
	switch refusal.Code {
	case drive.RefusedParam, drive.RefusedStep, drive.RefusedName:
		kind = fault.Usage
	}
	return &fault.Fault{Kind: kind, Message: refusal.Message, Hint: refusal.Hint, Err: err}
}
