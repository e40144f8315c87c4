package kubeclient

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/kube"
)

// GetJob reads a Job.
func (c *Client) GetJob(ctx context.Context, name string) (*batchv1.Job, error) {
	var out batchv1.Job
	err := c.batch.Get().Namespace(c.namespace).Resource("jobs").Name(name).Do(ctx).Into(&out)
	return &out, err
}

// ListJobs reads the Jobs that a label selector selects, in pages, and calls each with every Job.
func (c *Client) ListJobs(ctx context.Context, selector string, each func(*batchv1.Job)) error {
	o := metav1.ListOptions{LabelSelector: selector, Limit: 500}
	for {
		var list batchv1.JobList
		if err := c.batch.Get().Namespace(c.namespace).Resource("jobs").VersionedParams(&o, c.params).Do(ctx).Into(&list); err != nil {
			return err
		}
		for i := range list.Items {
			each(&list.Items[i])
		}
		if o.Continue = list.Continue; o.Continue == "" {
			return nil
		}
	}
}

// CreateJob creates a Job.
func (c *Client) CreateJob(ctx context.Context, job *batchv1.Job) (*batchv1.Job, error) {
	var out batchv1.Job
	err := c.batch.Post().Namespace(c.namespace).Resource("jobs").
		VersionedParams(&metav1.CreateOptions{FieldManager: kube.Manager}, c.params).Body(job).Do(ctx).Into(&out)
	return &out, err
}

// AnnotateJob sets annotations of the Job with this UID, and of this resource version unless that is "". It is a conflict if
// the Job is another one or has changed.
func (c *Client) AnnotateJob(ctx context.Context, name, uid, version string, annotations map[string]string) error {
	metadata := map[string]any{"uid": uid, "annotations": annotations}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	err = c.batch.Patch(types.MergePatchType).Namespace(c.namespace).Resource("jobs").Name(name).
		VersionedParams(&metav1.PatchOptions{FieldManager: kube.Manager}, c.params).Body(patch).Do(ctx).Error()
	if anotherUID(err) {
		return apierrors.NewConflict(schema.GroupResource{Group: batchv1.GroupName, Resource: "jobs"}, name, err)
	}
	return err
}

// anotherUID reports whether the server has rejected a patch because it would change the UID: the object is another one.
func anotherUID(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) || status.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(status.Status().Details.Causes, func(c metav1.StatusCause) bool { return c.Field == "metadata.uid" })
}

// GetCronJob reads a CronJob.
func (c *Client) GetCronJob(ctx context.Context, name string) (*batchv1.CronJob, error) {
	var out batchv1.CronJob
	err := c.batch.Get().Namespace(c.namespace).Resource("cronjobs").Name(name).Do(ctx).Into(&out)
	return &out, err
}

// Username is the name under which the cluster knows the user of this client.
func (c *Client) Username(ctx context.Context) (string, error) {
	data, err := c.core.Post().AbsPath("/apis/authentication.k8s.io/v1/selfsubjectreviews").
		SetHeader("Content-Type", runtime.ContentTypeJSON).SetHeader("Accept", runtime.ContentTypeJSON).
		Body([]byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)).Do(ctx).Raw()
	if err != nil {
		return "", err
	}
	var review struct {
		Status struct {
			UserInfo struct{ Username string }
		}
	}
	err = json.Unmarshal(data, &review)
	return review.Status.UserInfo.Username, err
}
