package engine

import (
	"encoding/json"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Action is what the driver has to do: one of CheckCache, EnterGroup, LeaveGroup, StartAttempt,
// StopAttempt, Ask, SetTimer, Notify and End.
type Action interface{ action() }

// Spec is all that a driver needs to know of an attempt beyond the program and the run.
type Spec struct {
	// Step is the address: train, train[0], train["a"], call.train, train#2.
	Step string
	// Def is the step of the program that this is an attempt of.
	Def *program.Step
	// Key is each.key as text, of an instance.
	Key string
	// Attempt counts every attempt of the step from 1, and names its place in the store.
	Attempt int
	// UserAttempt is PIPEC_ATTEMPT: a repeat after an infrastructure failure keeps the number.
	UserAttempt int
	// OOMs is how many attempts before this one have run out of memory.
	OOMs int
	// Inputs are evaluated and have their declared types, in the order of the program.
	Inputs []record.Datum
	// Refs are the values of what the step's command and env read beyond its own inputs and outputs, as JSON.
	Refs map[string]json.RawMessage
	// Holds are the places in groups that are held while the attempt runs: those of the calls that it is part of, from the
	// outermost in, and its own.
	Holds []Hold
}

// CheckCache asks whether an earlier run has the result of this attempt. The answer is the event CacheChecked.
type CheckCache struct{ Spec }

// StartAttempt starts an attempt. Its end is the event AttemptEnded.
type StartAttempt struct{ Spec }

// StopAttempt stops a running attempt, which still has to be reported as ended.
type StopAttempt struct {
	Step    string
	Attempt int
	Why     string
}

// Ask has an approval wait for somebody's answer, the event ApprovalGiven. It is never taken back: the engine reads past
// an answer that it no longer waits for.
type Ask struct {
	Step string
	record.Ask
}

// SetTimer asks for the event TimerFired with this name, no sooner than At. A timer is never taken back: the engine
// reads past one that it no longer waits for.
type SetTimer struct {
	Name string
	At   time.Time
}

// Notify tells those who watch: StepStarted, StepAsks, StepRetried or StepEnded. The engine reads past these events.
type Notify struct{ record.Event }

// End is the end of the run: the last action there ever is.
type End struct{ record.End }

func (CheckCache) action()   {}
func (StartAttempt) action() {}
func (StopAttempt) action()  {}
func (Ask) action()          {}
func (SetTimer) action()     {}
func (Notify) action()       {}
func (End) action()          {}
