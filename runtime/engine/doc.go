/*
Package engine decides what a run does next. It is a pure state machine: it is given what has happened, as events, and
returns what to do, as actions. It reads no clock, does no I/O, starts no goroutine and draws no random numbers. The same
events give the same actions on every driver, so the state of a run is the fold over its log.

Because it is pure, each rule is tested by a table of events, each order of events by random programs, and another place to run
needs another driver and not another program.

The engine is not a driver. How an attempt is run, how its outputs are checked and stored, and where the log is kept are
the business of the driver and of the wrapper around the user's process (runtime/step).

# Usage

A driver creates a state with New, records an event, passes it to Next, and performs the actions that Next returns. Each
action that needs an answer leads to an event later. Package runtime/drive does the part of this that all drivers share: the
state, the log, notifications and the end. In short:

	state, err := engine.New(program, run, parallel)
	if err != nil {
		return err // the compiler accepts no such program
	}
	events <- record.Event{Type: record.RunStarted}
	for !state.Ended() {
		e := <-events
		e.At = time.Now()
		if err := log.Append(e); err != nil {
			return err
		}
		_, actions := engine.Next(state, e)
		for _, a := range actions {
			switch a := a.(type) {
			case engine.StartAttempt:    // run it; then events <- AttemptEnded
			case engine.StopAttempt:     // stop it; AttemptEnded is still expected
			case engine.CheckCache:      // query the cache; then events <- CacheChecked
			case engine.RequestSlot:     // wait for a slot; then events <- GroupEntered or GroupBusy
			case engine.ReleaseSlot:     // release the slot, or withdraw the request
			case engine.RequestApproval: // accept an answer; then events <- ApprovalGiven
			case engine.SetTimer:        // events <- TimerFired, not before a.At
			case engine.Notify:          // show it to those who watch the run
			case engine.End:             // record the end of the run
			}
		}
	}

A State belongs to one goroutine. Next changes it in place. The driver must not change an event after it has passed it to
Next, and must pass events in the order of the log.

# Events and their answers

	action           answered by                     the driver may
	CheckCache       CacheChecked                    report a miss when the cache cannot be read
	StartAttempt     AttemptEnded                    report AttemptStarted in between, for the exact time
	StopAttempt      AttemptEnded of that attempt    report a success that came first
	RequestSlot      GroupEntered, or GroupBusy      wait for any time, unless Skip is set
	RequestApproval  ApprovalGiven                   reject an answer that State.CheckAnswer does not accept
	SetTimer         TimerFired                      be late, never early
	ReleaseSlot      nothing
	Notify           nothing
	End              nothing: no action follows

RunStarted, StepKept (a result of the run that this one reruns) and CancelRequested come from the driver itself. StepKept
may precede RunStarted. Run.Kept names the steps that wait for their StepKept, with or without a result.

Requests and timers are never withdrawn, with the exception of ReleaseSlot. The engine ignores every event that does not
fit its state: an event for an unknown step or for an attempt that does not run, a second answer, a timer that no longer
matters, and all events after the end. A driver may therefore deliver an answer twice.

# What must be durable

The log may lag behind the work, with these exceptions:

	before                         durable
	RunStarted is passed           the program, and then the record of the run
	AttemptEnded is passed         the attempt's result.json, if the attempt committed one: outputs and log come before it
	a pod is deleted (*)           the events so far, with the reason if the driver gives up the attempt
	a Lease of a group is changed  the events so far, so that a later driver makes the same request
	an approval is shown (*)       the events up to the one that caused RequestApproval, so that a later driver asks the same
	an answer is removed (*)       the ApprovalGiven event that it led to
	the end of the run is shown    all events of the log, and then end.json, which is written once

(*) If the store can't be reached for longer than it is retried, the driver continues without: the run must not depend on it.

A later driver must find every event that the log lacks. It finds the ends of attempts in result.json, the slots of a cluster
in the Leases, and the answers of approvals in files or annotations. On one machine the kernel has released the slots of a
killed driver, so its successor takes them again before the attempts start.

The end of an attempt without a result.json, such as one whose pod was deleted by others, may be missing in the log too. A
successor on a cluster then makes the attempt again, under the same number. On one machine it finds the attempt's directory,
and ends the attempt as lost.

# Replay

A driver that takes a run over folds the log: it creates a State with the same program, run and limit, passes all events
to Next, and discards the actions. Open collects the actions that no event has answered; the new driver performs these.
Timers have absolute times, the jitter of a delay comes from the name of the attempt, and instances, rounds and called
steps are created again from recorded outputs in the same order. None of them is ever removed.

# Panics

A panic is an error of the engine, and would happen again in every process that folds the same log. Evaluating an expression
turns it into a failure of the step. Any other one ends the run: Next returns StopAttempt for each running attempt, and then
End with the reason InternalError.

# The phases of a node

A node is a step, an instance, a round or a step of a called pipeline. It is in one of these phases, and changes only as
listed here. TestMoves compares this table with the engine.

	absent     ->                                            not part of this run
	pending    -> ready, expanded, unanswered, ended         waits for the nodes that it needs
	ready      -> queued, checking, running, expanded, ended waits for room under the limits
	queued     -> ready, ended                               waits for a slot in its concurrency group
	checking   -> queued, running, ended                     waits for the answer of the cache
	running    -> ready, waiting, ended                      has an attempt that has not ended
	waiting    -> ready, ended                               waits until its next attempt is due
	expanded   -> ready, waiting, ended                      has nodes of its own that have not ended
	unanswered -> ended                                      an approval that waits for its answer
	ended      ->                                            final

# Rooms

Each part of a State owns its data: graph has the nodes and frames, scheduler the order and the limits, groups the queues
of concurrency groups, evaluator the values, retries the delays, and outbox the actions. They do not know how a run
proceeds. lifecycle moves nodes from phase to phase, expansion creates nodes and ends what they are part of, and approvals
asks for answers. State receives the events.

# What must never happen

  - An attempt starts before the nodes that it needs have ended, or before all steps have ended in finally.
  - Two attempts of a node run at once, or an attempt starts after the end of its node.
  - More attempts run than a limit allows, or an attempt runs without a slot in its group.
  - A run has two requests for the same group at once.
  - The outputs of a failed attempt are visible.
  - A run waits for nothing and has not ended, or an action follows End.
  - The same events lead to other actions.

The property tests of this package hold all of these over random programs, events and cancels.
*/
package engine
