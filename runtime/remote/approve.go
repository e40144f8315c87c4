package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// AnsweredError reports that an approval has been answered before. Only the first answer counts.
type AnsweredError struct {
	Step   string
	Answer *record.Answer
}

func (e *AnsweredError) Error() string {
	what := "approved"
	if e.Answer.Reject {
		what = "rejected"
	}
	text := e.Step + " was " + what + " already, by " + e.Answer.Who()
	if !e.Answer.At.IsZero() {
		text += " at " + e.Answer.At.Format(time.RFC3339)
	}
	return text
}

// maxConflicts is how often an answer is written again after a conflict with another change of the Job.
const maxConflicts = 20

// Approve answers an approval of a run with an annotation on its Job, which the run's coordinator reads. It never overwrites
// another answer. The error is an *AnsweredError if there is one.
func (c *Client) Approve(ctx context.Context, job *Job, asked *record.StepEnd, a *record.Answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	name := kube.AnnotationApprove + record.AnswerName(asked.Name)
	gone := fmt.Errorf("the Job of run %s is gone", job.Name)
	for range maxConflicts {
		now, err := c.client.GetJob(ctx, job.Name)
		switch {
		case apierrors.IsNotFound(err), err == nil && string(now.UID) != job.UID:
			return gone
		case err != nil:
			return err
		}
		if other := answerIn(now.Annotations[name], asked.Ask); other != nil {
			return &AnsweredError{Step: asked.Name, Answer: other}
		}
		// With the version, the request conflicts with an answer that was written since.
		err = c.client.AnnotateJob(ctx, job.Name, job.UID, now.ResourceVersion, map[string]string{name: string(text)})
		switch {
		case apierrors.IsNotFound(err):
			return gone
		case apierrors.IsInvalid(err):
			return fmt.Errorf("the Job doesn't accept the answer; all annotations of a Job can have at most 256 KiB together: %w", err)
		case !apierrors.IsConflict(err):
			return err
		}
	}
	return fmt.Errorf("the Job of run %s changed too often while the answer was written: try again", job.Name)
}

// answerIn returns the answer in an annotation, and nil if there is none. An answer that is not valid, for example one that
// was written by hand, is ignored.
func answerIn(text string, ask *record.Ask) *record.Answer {
	var a record.Answer
	if text == "" || len(text) > record.MaxAnswer || json.Unmarshal([]byte(text), &a) != nil || engine.CheckAnswer(ask, &a) != nil {
		return nil
	}
	return &a
}

// AwaitAnswer follows a run until a step has ended, and returns the step's end. o.Observe receives the events before it.
func (c *Client) AwaitAnswer(ctx context.Context, o FollowOptions, step string) (*record.StepEnd, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var end *record.StepEnd
	observe := o.Observe
	o.Late, o.Observe = true, func(e record.Event) {
		if e.Type == record.StepEnded && e.Step == step && end == nil {
			end = e.End
			stop()
		} else if end == nil {
			observe(e)
		}
	}
	_, err := c.Follow(ctx, o)
	if end != nil {
		return end, nil
	}
	if err == nil {
		err = errors.New("the run has ended, but not its step " + step)
	}
	return nil, err
}

// Username returns the name that the cluster has for the user, and "" if the cluster doesn't report it.
func (c *Client) Username(ctx context.Context) string {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	name, _ := c.client.Username(ctx)
	return name
}
