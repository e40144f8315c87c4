package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// Logs calls emit with the lines so far of a run that has not ended: the stored lines, and for running attempts also the
// newer lines of their pods. If pods can't be read, it returns a *BehindError after the stored lines.
func (c *Client) Logs(ctx context.Context, reader *runs.Reader, run *record.Run, o runs.LogOptions, emit func(record.Event) error) error {
	detail, err := reader.Show(ctx, run)
	if err != nil {
		return err
	}
	steps := detail.Steps
	sort.SliceStable(steps, func(i, j int) bool { return steps[i].StartedAt.Before(steps[j].StartedAt) })
	var behind error
	for i := range steps {
		s := &steps[i]
		if !o.Wants(s.Name) {
			continue
		}
		last := 0
		if s.Status == record.Running {
			last = s.Attempts
		}
		for n := 1; n <= s.Attempts || n == 1 && s.Status.Ended(); n++ {
			if o.Attempt != 0 && o.Attempt != n {
				continue
			}
			if n != last {
				err = reader.Logs(ctx, run, o.One(s.Name, n), emit)
			} else {
				err = c.runningLog(ctx, reader, run, record.AttemptID{Step: s.Name, Attempt: n}, &o, emit, &behind)
			}
			if err != nil {
				return err
			}
		}
	}
	if behind != nil {
		return &BehindError{behind}
	}
	return nil
}

// BehindError reports that the lines of the last seconds are missing, since pods can't be read.
type BehindError struct{ Err error }

func (e *BehindError) Error() string {
	return fmt.Sprintf("the logs of pods can't be read, so the lines of the last seconds are missing: %v", e.Err)
}

func (e *BehindError) Unwrap() error { return e.Err }

// runningLog calls emit with the lines so far of a running attempt.
func (c *Client) runningLog(ctx context.Context, reader *runs.Reader, run *record.Run, id record.AttemptID, o *runs.LogOptions, emit func(record.Event) error, behind *error) error {
	exact := o.Tailed || o.Times || !o.Since.IsZero() // only the pod has the times of lines, and can skip lines
	a := newAttemptLog(c, reader.Store(), run.AttemptDir(id.Step, id.Attempt), "", !exact)
	a.emit = func(l lines.Line) error {
		if !l.At.IsZero() && l.At.Before(o.Since) {
			return nil
		}
		e := record.Event{
			Version: record.Version, Type: record.StepLog, Run: run.Name, Step: id.Step, Attempt: id.Attempt, Text: string(l.Text), Part: l.Part,
		}
		if o.Times {
			e.At = l.At
		}
		return emit(e)
	}
	var failed error
	a.failed = func(err error, _ bool) { failed = err }
	if !a.showStored(ctx) {
		return failed
	}
	pod, err := c.attemptPod(ctx, run.UID, id)
	if err != nil || pod == nil || startTime(pod, kube.ContainerMain).IsZero() {
		*behind = errors.Join(*behind, err)
		return nil
	}
	a.stream.line = a.streamed
	request := kubeclient.LogOptions{Timestamps: true, LimitBytes: kubeclient.MaxLog, Since: o.Since.Truncate(time.Second)}
	if n := int64(o.Tail); o.Tailed {
		request.Tail = &n
	}
	r, err := c.client.PodLog(ctx, pod.Name, kube.ContainerMain, request)
	if err != nil {
		*behind = err
		return nil
	}
	defer r.Close()
	err = a.stream.read(r)
	if errors.Is(err, errGap) || errors.Is(err, errLong) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil // only the stored lines are certain
	}
	return err
}

// attemptPod returns the pod of an attempt; nil: there is none. It lists the pods of this attempt only, because a run may have
// thousands of pods, and each of its running attempts is queried.
func (c *Client) attemptPod(ctx context.Context, uid string, id record.AttemptID) (*corev1.Pod, error) {
	selector := labels.SelectorFromSet(labels.Set{
		kube.LabelRunUID: uid, kube.LabelStep: kube.LabelValue(record.Address(id.Step).SafeName()), kube.LabelAttempt: strconv.Itoa(id.Attempt),
	})
	list, err := c.client.ListPods(ctx, selector.String())
	if err != nil {
		return nil, err
	}
	for i := range list {
		if got, ok := attemptOf(&list[i]); ok && got == id {
			return &list[i], nil
		}
	}
	return nil, nil
}
