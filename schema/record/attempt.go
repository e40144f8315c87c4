package record

import "time"

// Class says whose fault a failed attempt is: the user's counts against retry.attempts, the infrastructure's does not.
type Class string

// The two classes.
const (
	ClassUser           Class = "user"
	ClassInfrastructure Class = "infrastructure"
)

// Result is attempts/…/result.json: the commit point of an attempt, written once after its outputs and its log. An
// attempt without one has not happened, whatever it left in the store.
type Result struct {
	Version  int    `json:"version"`
	Run      string `json:"run"`
	Step     string `json:"step"`
	Attempt  int    `json:"attempt"` // counts every attempt from 1, infrastructure repeats too
	Status   Status `json:"status"`  // succeeded, failed, timed_out or cancelled
	Class    Class  `json:"class,omitempty"`
	ExitCode *int   `json:"exit_code,omitempty"` // of the user's process; nil without one
	Signal   string `json:"signal,omitempty"`
	// ToldToStop says of a success that its process was told to stop while it ran, and ended well all the same.
	ToldToStop bool      `json:"told_to_stop,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Message    string    `json:"message,omitempty"` // at most 4 KiB
	StartedAt  time.Time `json:"started_at"`
	EndedAt    time.Time `json:"ended_at"`
	Outputs    []Datum   `json:"outputs,omitempty"` // sorted by name; only of a success
	Log        Log       `json:"log"`
}

// Log says where an attempt's log is: log/000000 and on, in order.
type Log struct {
	Segments int   `json:"segments"`
	Bytes    int64 `json:"bytes"`
}

// EventType names what happened.
type EventType string

// What happens in a run. The run's log holds these, in order; its state is a fold over them.
const (
	RunStarted      EventType = "run_started"
	StepKept        EventType = "step_kept" // a result of the rerun run is taken over
	CacheChecked    EventType = "cache_checked"
	AttemptStarted  EventType = "attempt_started"
	AttemptEnded    EventType = "attempt_ended"
	TimerFired      EventType = "timer_fired"
	GroupEntered    EventType = "group_entered" // the step has its place in its group, for Attempt
	GroupBusy       EventType = "group_busy"    // it has none, and doesn't wait: Text says who holds them. With Reason: it can't be entered
	CancelRequested EventType = "cancel_requested"
	ApprovalGiven   EventType = "approval_given" // Answer says what; a rejection too
	// The following are for who takes a run over; the fold reads past them.
	CoordinatorStarted EventType = "coordinator_started" // Text names it
	AttemptStopping    EventType = "attempt_stopping"    // its pod is deleted, for what Result says
	// The following are said to those who watch; the fold makes them itself and reads past them.
	StepStarted EventType = "step_started"
	StepEnded   EventType = "step_ended"
	StepRetried EventType = "step_retried"
	StepLog     EventType = "log"
	StepAsks    EventType = "step_asks"    // an approval waits for an answer to Ask
	StepWaiting EventType = "step_waiting" // Text says what for, since At; "": no longer. Without Step, the run waits
	RunEnded    EventType = "run_ended"
	Warned      EventType = "warning" // Text says what went wrong that the run goes on without
)

// Event is one line of a run's log, and of `run -o json`.
type Event struct {
	Version int       `json:"version,omitempty"`
	Seq     int64     `json:"seq,omitempty"`
	Type    EventType `json:"type"`
	At      time.Time `json:"at,omitzero"`
	Run     string    `json:"run,omitempty"`
	Step    string    `json:"step,omitempty"`
	Attempt int       `json:"attempt,omitempty"`
	Timer   string    `json:"timer,omitempty"`  // TimerFired: the timer's name
	Result  *Result   `json:"result,omitempty"` // AttemptEnded, AttemptStopping, StepKept, and CacheChecked on a hit
	From    string    `json:"from,omitempty"`   // StepKept, CacheChecked: the run that the result is from
	End     *StepEnd  `json:"end,omitempty"`    // StepEnded
	Ask     *Ask      `json:"ask,omitempty"`    // StepAsks; StepKept of an approval
	Answer  *Answer   `json:"answer,omitempty"` // ApprovalGiven; StepKept of an approval
	RunEnd  *End      `json:"run_end,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Text    string    `json:"text,omitempty"` // StepLog: the line; Warned: what went wrong; StepWaiting: what for
}
