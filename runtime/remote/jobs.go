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
	Pipeline string // from its annotation, else from its label
	Created  time.Time
	Live     bool   // the Job has not ended
	Verdict  string // how the Job has ended
}

func jobOf(j *batchv1.Job) Job {
	verdict, ended := jobEnd(j)
	pipeline := j.Annotations[kube.AnnotationPipeline]
	if pipeline == "" {
		pipeline = j.Labels[kube.LabelPipeline]
	}
	return Job{Name: j.Name, UID: string(j.UID), Pipeline: pipeline, Created: j.CreationTimestamp.Time, Live: !ended && j.DeletionTimestamp == nil, Verdict: verdict}
}

// Job returns the Job of a run by the run's name, and nil if there is none, or if pipec did not create it.
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

// Jobs returns the existing Jobs of all runs, by UID.
func (c *Client) Jobs(ctx context.Context) (map[string]Job, error) {
	out := map[string]Job{}
	err := c.client.ListJobs(ctx, kube.LabelManagedBy+"="+kube.Manager, func(j *batchv1.Job) { out[string(j.UID)] = jobOf(j) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Cancel requests the cancellation of a run with an annotation on its Job, which the run's coordinator reads. Each call is
// another request: the second one also ends the steps of finally.
func (c *Client) Cancel(ctx context.Context, job *Job) error {
	// With the UID, the request fails with a conflict if another Job has the name by now.
	err := c.client.AnnotateJob(ctx, job.Name, job.UID, "", map[string]string{kube.AnnotationCancel: time.Now().UTC().Format(time.RFC3339Nano)})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return fmt.Errorf("the Job of run %s is gone", job.Name)
	}
	return err
}
