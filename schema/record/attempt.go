package record

import "time"

// Class reports who caused the failure of an attempt. A failure of the user counts against retry.attempts, a failure of the
// infrastructure does not.
type Class string

// The two classes.
const (
	ClassUser           Class = "user"
	ClassInfrastructure Class = "infrastructure"
)

// Result is attempts/…/result.json: the commit point of an attempt, written once after its outputs and its log. An attempt
// without a result counts as lost, whatever it has left in the store. The wrapper of the attempt writes it, or a coordinator
// that gives the attempt up.
type Result struct {
	Version  int    `json:"version"`
	Run      string `json:"run"`
	Step     string `json:"step"`
	Attempt  int    `json:"attempt"` // counts all attempts from 1, including repeats after infrastructure failures
	Status   Status `json:"status"`  // succeeded, failed, timed_out or cancelled
	Class    Class  `json:"class,omitempty"`
	ExitCode *int   `json:"exit_code,omitempty"` // of the user's process; nil if there is none
	Signal   string `json:"signal,omitempty"`
	// ToldToStop reports that the process of a successful attempt was asked to stop while it ran.
	ToldToStop bool `json:"told_to_stop,omitempty"`
	// GivenUp reports that a coordinator wrote the result: a pod of the attempt may still run or be created, and can't commit
	// another result any more.
	GivenUp bool   `json:"given_up,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"` // at most 4 KiB
	// Node is the node on which the attempt failed, if later attempts are to avoid it. Only the run's log has it.
	Node      string    `json:"node,omitempty"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Outputs   []Datum   `json:"outputs,omitempty"` // sorted by name; only of a success
	Log       Log       `json:"log"`
}

// Log describes the log of an attempt, in the segments log/000000 and so on, in order.
type Log struct {
	Segments int    `json:"segments"`
	Bytes    int64  `json:"bytes"`
	Times    string `json:"times,omitempty"` // when its parts were written; see LogTimes
}

// EventType is the kind of an event.
type EventType string

// The events of a run. Its log holds them in order, and its state is the fold over them.
const (
	RunStarted      EventType = "run_started"
	StepKept        EventType = "step_kept" // the result of the run that this one reruns is used
	CacheChecked    EventType = "cache_checked"
	AttemptStarted  EventType = "attempt_started"
	AttemptEnded    EventType = "attempt_ended"
	TimerFired      EventType = "timer_fired"
	GroupEntered    EventType = "group_entered" // the step holds a slot in its group, for Attempt
	GroupBusy       EventType = "group_busy"    // the step has no slot and does not wait: Text names the holders. With Reason, the group cannot be entered
	CancelRequested EventType = "cancel_requested"
	ApprovalGiven   EventType = "approval_given" // Answer is the answer, which may be a rejection
	// The following are for a driver that takes a run over. The fold ignores them.
	CoordinatorStarted EventType = "coordinator_started" // Text is the name of the coordinator
	AttemptStopping    EventType = "attempt_stopping"    // the attempt's pod is deleted, for the reason in Result
	// The following are reported to those who watch the run. The fold creates them itself and ignores them.
	StepStarted EventType = "step_started"
	StepEnded   EventType = "step_ended"
	StepRetried EventType = "step_retried"
	StepLog     EventType = "log"
	StepAsks    EventType = "step_asks"    // an approval waits for an answer to Ask
	StepWaiting EventType = "step_waiting" // Text is what the step waits for since At; "": it no longer waits. Without Step, the run waits
	RunEnded    EventType = "run_ended"
	Warned      EventType = "warning" // Text is an error that did not stop the run
)

// Event is a line of a run's log, and of `run -o json`.
type Event struct {
	Version int         `json:"version,omitempty"`
	Seq     int64       `json:"seq,omitempty"`
	Type    EventType   `json:"type"`
	At      time.Time   `json:"at,omitzero"`
	Run     string      `json:"run,omitempty"`
	Step    string      `json:"step,omitempty"`
	Attempt int         `json:"attempt,omitempty"`
	Timer   string      `json:"timer,omitempty"`  // TimerFired: the timer's name
	Result  *Result     `json:"result,omitempty"` // AttemptEnded, AttemptStopping, StepKept, and CacheChecked on a hit
	From    string      `json:"from,omitempty"`   // StepKept, CacheChecked: the run that the result is from
	Cache   *CacheCheck `json:"cache,omitempty"`  // CacheChecked: the cache key, and the reason of a miss
	End     *StepEnd    `json:"end,omitempty"`    // StepEnded
	Again   int         `json:"again,omitempty"`  // StepStarted, StepAsks: as in StepEnd
	Ask     *Ask        `json:"ask,omitempty"`    // StepAsks; StepKept of an approval
	Answer  *Answer     `json:"answer,omitempty"` // ApprovalGiven; StepKept of an approval
	RunEnd  *End        `json:"run_end,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Text    string      `json:"text,omitempty"` // StepLog: the line; Warned: the error; StepWaiting: what the step waits for
	Part    Part        `json:"part,omitempty"` // StepLog: which part of a line Text is; "": a whole line, or the end of one
}

// Part is which part of a line of a log an event contains.
type Part string

const (
	PartCut   Part = "cut"   // the line is long: the next event of the attempt continues it
	PartState Part = "state" // the line is being overwritten, as progress bars do: a later event replaces the text
)
