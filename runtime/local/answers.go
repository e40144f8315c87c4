package local

import (
	"context"
	"encoding/json"
	"errors"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/record"
)

// answers are the answers to the approvals of a run. They are files in the run's directory: see work.Run.Answer.
type answers struct {
	*scene
	look chan struct{} // receives when an approval begins to wait: there may be an answer already

	asked map[string]string // the steps that have asked for an approval, by record.AnswerName; guarded by driver.mu
}

func newAnswers(s *scene) *answers {
	return &answers{scene: s, look: make(chan struct{}, 1), asked: map[string]string{}}
}

// ask allows users to answer an approval. The request is written to the run's log before observers are notified of it, because
// users who answer read it there. The caller must hold driver.mu.
func (t *answers) ask(a engine.RequestApproval) {
	if len(t.asked) == 0 {
		if err := t.claim.OpenAnswers(); err != nil {
			t.run.Warn(a.Step, "approvals can't be answered: "+err.Error())
		}
	}
	name := record.AnswerName(a.Step)
	t.asked[name] = a.Step
	t.claim.ReopenAnswer(name)
	_ = t.run.Flush() // if many approvals ask at the same time, only the first flush has something to write
	t.run.Announce(a.Step)
	select {
	case t.look <- struct{}{}:
	default:
	}
}

// read reads an answer from its file.
func (t *answers) read(name string) (*record.Answer, error) {
	data, err := t.claim.ReadAnswer(name, record.MaxAnswer)
	if err != nil {
		return nil, err
	}
	var a record.Answer
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// takeAnswers passes the available answers to the run. Only the loop calls it.
func (d *driver) takeAnswers(ctx context.Context) {
	for _, name := range d.claim.Answers() {
		d.mu.Lock()
		step, asked := d.answers.asked[name]
		d.mu.Unlock()
		if !asked { // the run has not asked for this approval yet
			d.claim.CloseAnswer(name, false)
			continue
		}
		a, err := d.answers.read(name)
		if err == nil {
			err = d.answer(ctx, step, a)
		}
		var late *engine.NotPendingError
		if err != nil && !errors.As(err, &late) {
			d.run.Warn(step, "an answer that can't be taken: "+err.Error())
		}
		if err == nil {
			_ = d.run.Flush() // if this fails, the event is written later, like all other events
		}
		d.claim.CloseAnswer(name, err == nil)
	}
}
