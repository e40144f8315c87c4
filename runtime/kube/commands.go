package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// commands are the requests of users in annotations of the run's Job: to cancel the run, and answers to its approvals. The
// annotations are not removed: a coordinator that is started again reads all of them, and ignores those that an earlier one has
// handled. Commands are owned by the loop.
type commands struct {
	d       *driver
	cancels map[string]bool   // the values of the cancel annotation that were handled
	asked   map[string]string // the steps that have asked for an approval, by record.AnswerName
	given   map[string]string // the answers of the annotations, by record.AnswerName
	refused map[string]bool   // the invalid answers about which the coordinator has warned
	later   string            // the value of a cancel annotation that waits for catchUp; "": none
}

func newCommands(d *driver) *commands {
	return &commands{d: d, cancels: map[string]bool{}, asked: map[string]string{}, given: map[string]string{}, refused: map[string]bool{}}
}

// changed handles the commands in the annotations of the Job.
func (c *commands) changed(j *batchv1.Job) {
	if string(j.UID) != c.d.o.JobUID {
		return
	}
	if at := j.Annotations[kube.AnnotationCancel]; at != "" && !c.cancels[at] {
		c.cancel(at)
	}
	var names []string
	for key, text := range j.Annotations {
		if name, ok := strings.CutPrefix(key, kube.AnnotationApprove); ok && c.given[name] != text {
			c.given[name] = text
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if step, ok := c.asked[name]; ok {
			c.answer(step, c.given[name])
		}
	}
}

// cancel cancels the run, when a successor has caught up.
func (c *commands) cancel(at string) {
	if !c.d.catchUp.over {
		c.later = at
		return
	}
	c.cancels[at], c.later = true, ""
	c.d.feed(record.Event{Type: record.CancelRequested, Text: at})
}

// caughtUp cancels the run if a user has requested that meanwhile.
func (c *commands) caughtUp() {
	if c.later != "" {
		c.cancel(c.later)
	}
}

// ask allows users to answer an approval. There may be an answer already. Observers are notified after the log contains the
// request, because users who answer read it there.
func (c *commands) ask(a engine.RequestApproval) {
	c.d.async(func(ctx context.Context) func() {
		_ = c.d.run.FlushContext(ctx) // if the log can't be written now, only the answer waits for it, and not the run
		return func() { c.d.run.Announce(a.Step) }
	})
	name := record.AnswerName(a.Step)
	c.asked[name] = a.Step
	if text, ok := c.given[name]; ok {
		c.answer(a.Step, text)
	}
}

func (c *commands) answer(step, text string) {
	d := c.d
	var a record.Answer
	err := json.Unmarshal([]byte(text), &a)
	switch {
	case len(text) > record.MaxAnswer:
		err = fmt.Errorf("it has %d bytes, and may have %d", len(text), record.MaxAnswer)
	case err == nil:
		err = d.run.CheckAnswer(step, &a)
	}
	var late *engine.NotPendingError
	switch {
	case err == nil:
		d.feed(record.Event{Type: record.ApprovalGiven, Step: step, Answer: &a})
		d.async(func(ctx context.Context) func() { _ = d.run.FlushContext(ctx); return nil })
	case errors.As(err, &late):
	case !c.refused[step+text]:
		c.refused[step+text] = true
		d.warn(step, "an answer that can't be taken: "+err.Error())
	}
}
