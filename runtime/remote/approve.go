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

// AnsweredError says that an approval has an answer already: the first one counts.
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

// answerTries is how often an answer is tried that crosses with another change of the Job.
const answerTries = 20

// Approve answers an approval of a run, by an annotation on its Job, which its coordinator reads. It is never written over
// another answer; an *AnsweredError where there is one.
func (c *Client) Approve(ctx context.Context, job *Job, asked *record.StepEnd, a *record.Answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	name := kube.AnnotationApprove + record.AnswerName(asked.Name)
	gone := fmt.Errorf("the Job of run %s is gone", job.Name)
	for range answerTries {
		now, err := c.client.GetJob(ctx, job.Name)
		switch {
		case apierrors.IsNotFound(err), err == nil && string(now.UID) != job.UID:
			return gone
		case err != nil:
			return err
		}
		if other := given(now.Annotations[name], asked.Ask); other != nil {
			return &AnsweredError{Step: asked.Name, Answer: other}
		}
		// The version makes it a conflict if somebody has answered since.
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

// given is the answer that an annotation holds; nil where it holds none that could be taken, as one that was written by
// hand: that is as none.
func given(text string, ask *record.Ask) *record.Answer {
	var a record.Answer
	if text == "" || len(text) > record.MaxAnswer || json.Unmarshal([]byte(text), &a) != nil || engine.CheckAnswer(ask, &a) != nil {
		return nil
	}
	return &a
}

// AwaitAnswer follows a run until a step has ended, and gives how. What is told on the way is told to o.Tell.
func (c *Client) AwaitAnswer(ctx context.Context, o FollowOptions, step string) (*record.StepEnd, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var end *record.StepEnd
	tell := o.Tell
	o.Late, o.Tell = true, func(e record.Event) {
		if e.Type == record.StepEnded && e.Step == step && end == nil {
			end = e.End
			stop()
		} else if end == nil {
			tell(e)
		}
	}
	_, err := c.Follow(ctx, o)
	if end != nil {
		return end, nil
	}
	if err == nil {
		err = errors.New("the run has ended, and " + step + " has not")
	}
	return nil, err
}

// Who is the name by which the cluster knows who asks; "" where it doesn't say.
func (c *Client) Who(ctx context.Context) string {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	name, _ := c.client.Username(ctx)
	return name
}
