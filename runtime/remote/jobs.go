package remote

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/schema/kube"
)

// Job is the Job of a run.
type Job struct {
	Name     string
	UID      string
	Pipeline string // as its annotation says, else its label
	Created  time.Time
	Live     bool   // it has not ended
	Verdict  string // how it has ended
}

func jobOf(j *batchv1.Job) Job {
	verdict, ended := jobEnd(j)
	pipeline := j.Annotations[kube.AnnotationPipeline]
	if pipeline == "" {
		pipeline = j.Labels[kube.LabelPipeline]
	}
	return Job{Name: j.Name, UID: string(j.UID), Pipeline: pipeline, Created: j.CreationTimestamp.Time, Live: !ended && j.DeletionTimestamp == nil, Verdict: verdict}
}

// Job finds the Job of a run by the run's name; nil where there is none, or it is not pipec's.
func (c *Client) Job(ctx context.Context, name string) (*Job, error) {
	if CheckName(name) != nil {
		return nil, nil
	}
	out, err := c.client.GetJob(ctx, name)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case out.Labels[kube.LabelManagedBy] != kube.Manager:
		return nil, nil
	}
	job := jobOf(out)
	return &job, nil
}

// Jobs are those of all runs whose Jobs are still there, by UID.
func (c *Client) Jobs(ctx context.Context) (map[string]Job, error) {
	out := map[string]Job{}
	err := c.client.ListJobs(ctx, kube.LabelManagedBy+"="+kube.Manager, func(j *batchv1.Job) { out[string(j.UID)] = jobOf(j) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Cancel asks the coordinator of a run to cancel it, by an annotation on its Job. Each call asks once more: the second
// time the steps of finally are ended too.
func (c *Client) Cancel(ctx context.Context, job *Job) error {
	// With the UID it is a conflict if another Job has the name by now.
	err := c.client.AnnotateJob(ctx, job.Name, job.UID, "", map[string]string{kube.AnnotationCancel: time.Now().UTC().Format(time.RFC3339Nano)})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return fmt.Errorf("the Job of run %s is gone", job.Name)
	}
	return err
}
