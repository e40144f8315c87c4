package engine

import (
	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/record"
)

// State is the state of a run. It belongs to its caller, and Next changes it in place. It is not safe for concurrent use.
// The caller must not change events after it has passed them to Next.
type State struct {
	rooms
	life      *lifecycle
	expansion *expansion
	approvals *approvals

	cancels int // how often the run was cancelled
}

// rooms are the parts of a state that know nothing of how a run proceeds. Each owns its data.
type rooms struct {
	graph   *graph     // the nodes and the frames
	sched   *scheduler // the order of nodes that may start, and the limits
	groups  *groups    // the queues of concurrency groups
	eval    *evaluator // the values of expressions
	retries *retries   // whether and when a failed attempt is repeated
	out     *outbox    // the actions for the event at hand
}

// runTimer is the name of the timer of the run's timeout. All others have a slash.
const runTimer = "timeout"

// Next folds one event into the state and returns what to do now. It changes s and returns it. An event that does not fit
// (of a step that does not exist, of an attempt that isn't running, a second one of its kind, after the end) changes
// nothing and asks for nothing. A panic ends the run as failed: every process that folds the log then comes to the same end, and
// none of them crashes.
func Next(s *State, e record.Event) (_ *State, actions []Action) {
	if s.life.over {
		return s, nil
	}
	s.out.begin(e.At)
	defer func() {
		if recover() != nil {
			actions = s.abort(&e, panics.At())
		}
	}()
	switch e.Type {
	case record.RunStarted:
		s.runStarted()
	case record.StepKept:
		s.stepKept(e)
	case record.CacheChecked:
		s.cacheChecked(e)
	case record.AttemptStarted:
		s.attemptStarted(e)
	case record.AttemptEnded:
		s.attemptEnded(e)
	case record.TimerFired:
		s.timerFired(e)
	case record.GroupEntered:
		s.groupEntered(e)
	case record.GroupBusy:
		s.groupBusy(e)
	case record.CancelRequested:
		s.cancelRequested()
	case record.ApprovalGiven:
		s.approvals.answered(e)
	default:
		return s, nil
	}
	s.life.settle()
	return s, s.out.take()
}

// Ended reports whether the run has ended: End was among the actions.
func (s *State) Ended() bool { return s.life.over }

// Len returns how many steps, instances and rounds the run has so far.
func (s *State) Len() int { return len(s.graph.nodes) }

// MayStart reports whether an attempt runs or may still be started. Steps that the run doesn't have yet, such as instances,
// may start.
func (s *State) MayStart(id record.AttemptID) bool {
	i, ok := s.graph.byAddr[id.Step]
	if !ok {
		return true
	}
	n := &s.graph.nodes[i]
	switch n.phase {
	case absent, ended:
		return false
	case running:
		return id.Attempt >= n.number()
	}
	return id.Attempt > n.number()
}

// Steps returns the state of each step, in the order of the program: a step is followed by its instances, its rounds and
// the steps of the pipeline that it calls. Steps that this run leaves out are not among them.
func (s *State) Steps() []record.StepEnd { return s.graph.stepEnds() }

// CheckAnswer reports why an answer to an approval cannot be accepted: a *NotPendingError, or what is wrong with the answer.
// Next accepts every answer that CheckAnswer accepts, as the event ApprovalGiven.
func (s *State) CheckAnswer(addr string, a *record.Answer) error {
	return s.approvals.checkAnswer(addr, a)
}

// PendingApprovals returns the approvals that wait for an answer, always in the same order. A driver that takes a run over
// must listen for their answers.
func (s *State) PendingApprovals() []RequestApproval { return s.approvals.pending() }
