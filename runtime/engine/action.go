package engine

import (
	"encoding/json"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Action is what the driver has to do: a CheckCache, RequestSlot, ReleaseSlot, StartAttempt, StopAttempt, RequestApproval,
// SetTimer, Notify or End.
type Action interface{ action() }

// Spec describes an attempt: all that a driver needs to know beyond the program and the run.
type Spec struct {
	// Step is the address of the node; see record.Address.
	Step string
	// Def is the definition of the step in the program.
	Def *program.Step
	// Key is the text of each.key; "" if the node is not part of an instance.
	Key string
	// Attempt counts all attempts of the step from 1. It is part of the keys of the attempt in the store.
	Attempt int
	// UserAttempt is PIPEC_ATTEMPT. It does not count attempts that ended with an infrastructure failure, and like Attempt it counts
	// those in earlier attempts of the calls that the step is part of.
	UserAttempt int
	// Avoid are the nodes on which earlier attempts failed, if the step avoids them, in the order of the failures.
	Avoid []string
	// OOMs is the number of earlier attempts that ran out of memory.
	OOMs int
	// Inputs are evaluated and have their declared types, in the order of the program.
	Inputs []record.Datum
	// Refs holds, as JSON, the values that the step's command and env read in addition to its own inputs and outputs.
	Refs map[string]json.RawMessage
	// Slots are the slots in concurrency groups that are held while the attempt runs: those of the calls that it is part of,
	// outermost first, and then its own.
	Slots []Slot
}

// CheckCache asks the driver whether an earlier run has the result of this attempt. The answer is the event CacheChecked.
type CheckCache struct{ Spec }

// StartAttempt asks the driver to start an attempt. The event AttemptEnded reports its end.
type StartAttempt struct{ Spec }

// StopAttempt asks the driver to stop a running attempt. The event AttemptEnded still reports its end.
type StopAttempt struct {
	Step    string
	Attempt int
	Why     string
}

// RequestApproval asks the driver to wait for an answer to an approval: the event ApprovalGiven. The request is never
// withdrawn: the engine ignores an answer that it no longer waits for.
type RequestApproval struct {
	Step string
	record.Ask
}

// SetTimer asks the driver for the event TimerFired with this name, not before At. A timer is never withdrawn: the engine
// ignores one that it no longer waits for.
type SetTimer struct {
	Name string
	At   time.Time
}

// Notify reports StepStarted, StepAsks, StepRetried or StepEnded to those who watch the run. The engine ignores these events.
type Notify struct{ record.Event }

// End reports the end of the run. No action follows it.
type End struct{ record.End }

func (CheckCache) action()      {}
func (StartAttempt) action()    {}
func (StopAttempt) action()     {}
func (RequestApproval) action() {}
func (SetTimer) action()        {}
func (Notify) action()          {}
func (End) action()             {}
