package local

import (
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// scene holds what the parts of a driver share. It does not change while the run is driven.
type scene struct {
	machine *machine
	claim   *claim
	record  *record.Run
	run     *drive.Run // all parts may call Flush, Report and Warn; only the driver calls the other methods
	watch   *observer
	chores  *chores
	resumed bool // earlier drivers may have made attempts
}

// spec returns the description of an attempt for the wrapper.
func (s *scene) spec(a *engine.Spec) *step.Spec {
	p := a.Def
	return &step.Spec{
		Version: step.SpecVersion, Run: s.record.Name, Pipeline: s.record.Pipeline, Step: a.Step, Key: a.Key,
		Attempt: a.Attempt, UserAttempt: a.UserAttempt,
		Program: *p, Inputs: a.Inputs, Refs: a.Refs, Code: s.record.Codes[p.Code],
		Root: s.claim.Attempt(a.Step, a.Attempt), Dir: s.machine.dir.Project(), Python: s.machine.python,
		AttemptDir: s.record.AttemptDir(a.Step, a.Attempt),
	}
}

// deps returns the dependencies of the wrapper of an attempt.
func (s *scene) deps(spec *step.Spec) step.Deps {
	m := s.machine
	deps := step.Deps{Store: m.store, Environ: m.o.Environ, Inherited: m.inherit, Secrets: m.secrets.of(&spec.Program), Memory: m.memory}
	deps.Later = s.chores.later
	if s.watch != nil {
		deps.Line = func(l lines.Line) {
			s.watch.line(drive.Complete(s.record, record.Event{Type: record.StepLog, Step: spec.Step, Attempt: spec.Attempt, Text: string(l.Text), Part: l.Part}))
		}
	}
	return deps
}
