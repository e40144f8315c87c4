package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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
func (c *Cluster) Job(ctx context.Context, name string) (*Job, error) {
	if CheckName(name) != nil {
		return nil, nil
	}
	var out batchv1.Job
	err := c.batch.Get().Namespace(c.namespace).Resource("jobs").Name(name).Do(ctx).Into(&out)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case out.Labels[kube.LabelManagedBy] != kube.Manager:
		return nil, nil
	}
	job := jobOf(&out)
	return &job, nil
}

// Jobs are those of all runs whose Jobs are still there, by UID.
func (c *Cluster) Jobs(ctx context.Context) (map[string]Job, error) {
	out := map[string]Job{}
	o := metav1.ListOptions{LabelSelector: kube.LabelManagedBy + "=" + kube.Manager, Limit: 500}
	for {
		var list batchv1.JobList
		if err := c.batch.Get().Namespace(c.namespace).Resource("jobs").VersionedParams(&o, c.params).Do(ctx).Into(&list); err != nil {
			return nil, err
		}
		for i := range list.Items {
			job := jobOf(&list.Items[i])
			out[job.UID] = job
		}
		if o.Continue = list.Continue; o.Continue == "" {
			return out, nil
		}
	}
}

// Cancel asks the coordinator of a run to cancel it, by an annotation on its Job. Each call asks once more: the second
// time the steps of finally are ended too.
func (c *Cluster) Cancel(ctx context.Context, job *Job) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid":         job.UID, // of this Job, and of none that has its name by now
		"annotations": map[string]string{kube.AnnotationCancel: time.Now().UTC().Format(time.RFC3339Nano)},
	}})
	if err != nil {
		return err
	}
	err = c.batch.Patch(types.MergePatchType).Namespace(c.namespace).Resource("jobs").Name(job.Name).
		VersionedParams(&metav1.PatchOptions{FieldManager: kube.Manager}, c.params).Body(patch).Do(ctx).Error()
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return fmt.Errorf("the Job of run %s is gone", job.Name)
	}
	return err
}
