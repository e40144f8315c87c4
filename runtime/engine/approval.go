package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// maxWho is the length to which the name of the person who answered is cut in messages, in bytes.
const maxWho = 256

// askTimer begins the names of the timers of approvals.
const askTimer = "approval/"

// approvals asks for answers and ends the nodes that wait for them.
type approvals struct {
	rooms
	life    *lifecycle
	timers  map[string]int // approvals with a timeout, by the names of their timers
	answers map[string]int // approvals that were answered, or not in time, by address
}

// ask starts to wait for an answer. A waiting approval does not count against the limits of parallel attempts.
func (ap *approvals) ask(i int) {
	n := &ap.graph.nodes[i]
	if j, ok := ap.answers[n.addr]; ok {
		ap.answerAgain(i, &ap.graph.nodes[j].end)
		return
	}
	a := n.step.Approval
	message, f := ap.eval.message(n)
	if f != nil {
		if f.skip {
			ap.life.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
		} else {
			ap.life.end(i, record.Failed, f.reason, f.message)
		}
		return
	}
	ask := record.Ask{Message: message, Type: n.step.ValueType(), Default: a.Default}
	if t := a.Timeout.D(); t > 0 {
		ask.Until = ap.out.now.Add(t)
	}
	ap.graph.move(n, unanswered)
	n.attempts++
	n.end.StartedAt, n.end.Ask = ap.out.now, &ask
	ap.out.notify(record.Event{Type: record.StepStarted, Step: n.addr, Again: n.again})
	ap.out.act(RequestApproval{n.addr, ask})
	ap.out.notify(record.Event{Type: record.StepAsks, Step: n.addr, Ask: &ask, Again: n.again})
	if !ask.Until.IsZero() {
		name := askTimer + n.addr
		if n.number() > 1 {
			name += "/" + strconv.Itoa(n.number())
		}
		ap.timers[name] = i
		ap.out.act(SetTimer{Name: name, At: ask.Until})
	}
}

// answerAgain ends an approval as an earlier attempt of the call that it is part of has ended it, and asks no user again.
func (ap *approvals) answerAgain(i int, earlier *record.StepEnd) {
	n := &ap.graph.nodes[i]
	n.end.StartedAt, n.end.Ask, n.end.Answer, n.end.Outputs = earlier.StartedAt, earlier.Ask, earlier.Answer, earlier.Outputs
	ap.life.end(i, earlier.Status, earlier.Reason, earlier.Message)
}

// answered reports whether an approval has ended by an answer, or because none came in time.
func (n *node) answered() bool {
	return n.phase == ended && n.end.Ask != nil && (n.end.Answer != nil || n.end.Reason == record.ReasonTimeout)
}

// message evaluates the message of an approval.
func (ev *evaluator) message(n *node) (_ string, f *fault) {
	defer failAlone(&f, "message")
	r := reader{ev: ev, node: n, value: &n.step.Approval.Message}
	v, err := r.eval()
	if err == nil {
		v, err = types.Convert(v, cty.String)
		err = r.value.Explain(err)
	}
	switch {
	case err == nil:
		return record.Clip(types.Text(v), record.MaxMessage), nil
	case r.leftOut != "":
		return "", &fault{message: r.leftOut, skip: true}
	case r.missing != "" && !strings.Contains(err.Error(), r.missing):
		err = fmt.Errorf("%w (%s)", err, r.missing)
	}
	return "", &fault{reason: record.ReasonExpression, message: "message: " + err.Error()}
}

// answered ends an approval that was answered.
func (ap *approvals) answered(e record.Event) {
	i, ok := ap.graph.byAddr[e.Step]
	if !ok || ap.checkAnswer(e.Step, e.Answer) != nil {
		return
	}
	n := &ap.graph.nodes[i]
	a := *e.Answer
	n.end.Answer = &a
	ap.answers[n.addr] = i
	why := record.Clip(a.Who(), maxWho)
	if a.Reason != "" {
		why += ": " + record.Clip(a.Reason, record.MaxMessage)
	}
	if a.Reject {
		ap.life.end(i, record.Failed, record.ReasonRejected, "rejected by "+why)
		return
	}
	ap.setAnswer(n, ap.eval.canonical(n, a.Value))
	ap.life.end(i, record.Succeeded, "", "approved by "+why)
}

// canonical returns a value in the form that pipec writes, with all attributes of its type: answers may be written by hand.
func (ev *evaluator) canonical(n *node, value json.RawMessage) json.RawMessage {
	if data, err := types.Canonical(value, ev.types[n.step.ValueType()]); err == nil {
		return data
	}
	return value
}

// setAnswer sets the output of an approval.
func (ap *approvals) setAnswer(n *node, value json.RawMessage) {
	if t := n.step.ValueType(); t != "" {
		n.end.Outputs = []record.Datum{{Name: program.ApprovalOutput, Type: t, Value: value}}
	}
}

// answerTimeout ends an approval whose timeout has passed.
func (ap *approvals) answerTimeout(i int) {
	n := &ap.graph.nodes[i]
	if n.phase != unanswered {
		return
	}
	ap.answers[n.addr] = i
	a := n.step.Approval
	message := "there was no answer within " + a.Timeout.D().String()
	if a.Default == nil || n.step.ValueType() == "" {
		ap.life.end(i, record.TimedOut, record.ReasonTimeout, message)
		return
	}
	ap.setAnswer(n, a.Default)
	ap.life.end(i, record.Succeeded, record.ReasonTimeout, message+": the default is used")
}

// NotPendingError reports that an approval does not wait for an answer.
type NotPendingError struct{ Step string }

func (e *NotPendingError) Error() string { return e.Step + " does not wait for approval" }

// checkAnswer implements State.CheckAnswer.
func (ap *approvals) checkAnswer(addr string, a *record.Answer) error {
	if !ap.awaitsAnswer(addr) {
		return &NotPendingError{addr}
	}
	return CheckAnswer(ap.graph.nodes[ap.graph.byAddr[addr]].end.Ask, a)
}

// awaitsAnswer reports whether the node with an address is an approval that waits for its answer.
func (ap *approvals) awaitsAnswer(addr string) bool {
	i, ok := ap.graph.byAddr[addr]
	return ok && ap.graph.nodes[i].phase == unanswered
}

// CheckAnswer reports what is wrong with an answer to a request.
func CheckAnswer(ask *record.Ask, a *record.Answer) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the answer can't be checked: " + panics.Message(panics.At(), "it"))
		}
	}()
	switch {
	case a == nil:
		return errors.New("there is no answer")
	case a.Reject && a.Value != nil:
		return errors.New("a rejection can't have a value")
	case a.Reject:
		return nil
	case ask.Type == "" && a.Value != nil:
		return errors.New("the approval asks for no value, but the answer has one")
	case ask.Type == "":
		return nil
	case a.Value == nil:
		return fmt.Errorf("the approval asks for a value of type %s, but the answer has none", ask.Type)
	}
	t, err := types.ParseString(ask.Type)
	if err != nil {
		return err
	}
	if _, err := types.Canonical(a.Value, t); err != nil {
		return fmt.Errorf("the value is not of type %s: %w", ask.Type, err)
	}
	return nil
}

// pending implements State.PendingApprovals.
func (ap *approvals) pending() []RequestApproval {
	var out []RequestApproval
	for i := range ap.graph.nodes {
		if n := &ap.graph.nodes[i]; n.phase == unanswered {
			out = append(out, RequestApproval{n.addr, *n.end.Ask})
		}
	}
	return out
}
