package runs

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Step returns the status of the step with this address, or nil.
func (d *Detail) Step(address string) *record.StepEnd {
	for i := range d.Steps {
		if d.Steps[i].Name == address {
			return &d.Steps[i]
		}
	}
	return nil
}

// Waiting returns the approvals that wait for an answer.
func (d *Detail) Waiting() []*record.StepEnd {
	var out []*record.StepEnd
	for i := range d.Steps {
		if s := &d.Steps[i]; s.Ask != nil && !s.Status.Ended() {
			out = append(out, s)
		}
	}
	return out
}

// NoApprovalError explains why there is no approval to answer at an address.
type NoApprovalError struct {
	Step    string   // "": the user named none
	Waiting []string // the waiting approvals, if the user may have meant one of them
	Unknown bool     // there is no such step, or the address is ambiguous
	Why     string
}

func (e *NoApprovalError) Error() string {
	out := e.Why
	switch {
	case len(e.Waiting) == 0:
	case e.Step == "":
		out += ": " + strings.Join(e.Waiting, ", ")
	default:
		out += "; waiting: " + strings.Join(e.Waiting, ", ")
	}
	return out
}

// Approval returns the approval that waits at an address, or the only waiting one if the address is "". p is the run's
// program. The error is a *NoApprovalError.
func (d *Detail) Approval(p *program.Program, address string) (*record.StepEnd, error) {
	waiting := d.Waiting()
	fault := &NoApprovalError{Step: address}
	for _, s := range waiting {
		if s.Name == address || address == "" && len(waiting) == 1 {
			return s, nil
		}
		fault.Waiting = append(fault.Waiting, s.Name)
	}
	if address == "" && len(waiting) == 0 {
		fault.Why = fmt.Sprintf("nothing in run %s is waiting for approval", d.Run.Name)
		return nil, fault
	}
	if address == "" {
		fault.Unknown, fault.Why = true, fmt.Sprintf("%d approvals of run %s are waiting, and the command names none", len(waiting), d.Run.Name)
		return nil, fault
	}
	s, def := d.Step(address), StepOf(p, address)
	switch {
	case s == nil && def == nil:
		fault.Unknown, fault.Why = true, fmt.Sprintf("run %s has no step %s", d.Run.Name, address)
		return nil, fault
	case s == nil:
		fault.Why = fmt.Sprintf("%s of run %s does not exist yet, and is not waiting for approval", address, d.Run.Name)
	case s.Ask != nil:
		fault.Why = fmt.Sprintf("%s of run %s is no longer waiting for approval: %s", address, d.Run.Name, HowAnswered(s))
	case def == nil || def.Approval == nil || within(waiting, address):
		fault.Unknown, fault.Why = true, fmt.Sprintf("%s is not waiting for approval", address)
		return nil, fault
	case s.Status.Ended():
		fault.Why = fmt.Sprintf("%s of run %s never requested approval: it was %s", address, d.Run.Name, ended(s))
	default:
		fault.Why = fmt.Sprintf("%s of run %s is not waiting for approval yet", address, d.Run.Name)
	}
	fault.Waiting = nil
	return nil, fault
}

// within reports whether one of the steps is below an address: an instance, or a step of a called pipeline.
func within(steps []*record.StepEnd, address string) bool {
	for _, s := range steps {
		if record.Address(s.Name).Under(record.Address(address)) {
			return true
		}
	}
	return false
}

// HowAnswered describes the result of an approval that has ended.
func HowAnswered(s *record.StepEnd) string {
	switch {
	case s.Answer != nil && s.Answer.Reject:
		return "it was rejected by " + s.Answer.Who()
	case s.Answer != nil:
		return "it was approved by " + s.Answer.Who()
	case s.Reason == record.ReasonTimeout:
		return s.Message
	case s.Status.Ended():
		return "it was " + ended(s)
	}
	return "it is " + string(s.Status)
}

func ended(s *record.StepEnd) string {
	text := strings.ReplaceAll(string(s.Status), "_", " ")
	if s.Message != "" {
		text += " (" + s.Message + ")"
	}
	return text
}

// StepOf returns the step of the program that an address belongs to, or nil.
func StepOf(p *program.Program, address string) *program.Step {
	if p == nil {
		return nil
	}
	all := p.All()
	var s *program.Step
	for i, name := range record.Address(address).Steps() {
		if i > 0 {
			if s.Call == nil {
				return nil
			}
			all = all[:0:0]
			if c := p.CalledNamed(s.Call.Pipeline); c != nil {
				for j := range c.Steps {
					all = append(all, &c.Steps[j])
				}
				for j := range c.Finally {
					all = append(all, &c.Finally[j])
				}
			}
		}
		at := slices.IndexFunc(all, func(s *program.Step) bool { return s.Name == name })
		if at < 0 {
			return nil
		}
		s = all[at]
	}
	return s
}
