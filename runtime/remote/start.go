package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// maxInline is the size in bytes above which params are kept in the store. All annotations of an object can have at most
// 256 KiB together.
const maxInline = 64 << 10

// StartOptions are the options of a new run.
type StartOptions struct {
	Pipeline string
	Name     string                     // of the run; "": a name from RunName
	Params   map[string]json.RawMessage // params that differ from the definition's
	Only     []string                   // the steps to run, with the steps that they need; empty: all
	RerunOf  string                     // the run whose results are kept
	Kept     []string                   // the steps whose results are kept
	Redone   []string                   // the addresses of the parts of Kept steps that run again
	// ScheduledAt is the time of the schedule that the run is for; nil: none.
	ScheduledAt *time.Time
	Schedule    string      // the name of that schedule; "": none, or the only one
	Store       store.Store // where large params are kept
	Now         time.Time
}

// NotAppliedError reports that the pipeline has no definition in the namespace.
type NotAppliedError struct{ Pipeline, Namespace string }

func (e *NotAppliedError) Error() string {
	return fmt.Sprintf("pipeline %s has not been applied in namespace %s", e.Pipeline, e.Namespace)
}

// Definition returns the CronJob of a pipeline. The error is a *NotAppliedError if there is none.
func (c *Client) Definition(ctx context.Context, pipeline string) (*batchv1.CronJob, error) {
	out, err := c.client.GetCronJob(ctx, kube.CronJobName(pipeline))
	if apierrors.IsNotFound(err) {
		return nil, &NotAppliedError{Pipeline: pipeline, Namespace: c.namespace}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Start starts a run of the definition that is in the cluster. It creates the same Job as `kubectl create job --from`, with
// the options as annotations. The CronJob owns the Job, so its history limits delete the Jobs of ended runs, but not their
// records. If kubectl deletes the CronJob, the Jobs are deleted too; `pipec destroy` keeps them.
func (c *Client) Start(ctx context.Context, o StartOptions) (*batchv1.Job, error) {
	definition, err := c.Definition(ctx, o.Pipeline)
	if err != nil {
		return nil, err
	}
	job, err := newJob(definition, &o)
	if err != nil {
		return nil, err
	}
	if err := o.annotate(ctx, job); err != nil {
		return nil, err
	}
	out, err := c.client.CreateJob(ctx, job)
	if apierrors.IsAlreadyExists(err) {
		return nil, &NameTakenError{Name: job.Name}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func newJob(definition *batchv1.CronJob, o *StartOptions) (*batchv1.Job, error) {
	name := o.Name
	if name == "" {
		name = RunName(definition.Name, o.Now)
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	template := definition.Spec.JobTemplate.DeepCopy()
	annotations := map[string]string{"cronjob.kubernetes.io/instantiate": "manual"}
	maps.Copy(annotations, template.Annotations)
	controller := true
	return &batchv1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "Job"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: definition.Namespace, Labels: template.Labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "CronJob", Name: definition.Name, UID: definition.UID,
				Controller: &controller,
			}},
		},
		Spec: template.Spec,
	}, nil
}

// annotate adds the annotations that the coordinator reads from its Job.
func (o *StartOptions) annotate(ctx context.Context, job *batchv1.Job) error {
	set := func(name string, value any) error {
		data, err := json.Marshal(value)
		if err != nil {
			return err
		}
		job.Annotations[name] = string(data)
		return nil
	}
	if len(o.Params) > 0 {
		if err := set(kube.AnnotationParams, o.Params); err != nil {
			return err
		}
		if text := job.Annotations[kube.AnnotationParams]; len(text) > maxInline {
			ref, err := storeText(ctx, o.Store, text)
			if err != nil {
				return fmt.Errorf("the params are too large for the Job and could not be stored: %w", err)
			}
			job.Annotations[kube.AnnotationParams] = ref
		}
	}
	if o.ScheduledAt != nil {
		job.Annotations[batchv1.CronJobScheduledTimestampAnnotation] = o.ScheduledAt.UTC().Format(time.RFC3339)
	}
	if o.Schedule != "" {
		job.Annotations[kube.AnnotationSchedule] = o.Schedule
	}
	if len(o.Only) > 0 {
		if err := set(kube.AnnotationOnly, o.Only); err != nil {
			return err
		}
	}
	if o.RerunOf == "" {
		return nil
	}
	job.Annotations[kube.AnnotationRerunOf] = o.RerunOf
	if len(o.Redone) > 0 {
		if err := set(kube.AnnotationRedone, o.Redone); err != nil {
			return err
		}
	}
	return set(kube.AnnotationKept, o.Kept)
}

// storeText stores a text as a blob, and returns the reference for the annotation.
func storeText(ctx context.Context, s store.Store, text string) (string, error) {
	digest := program.Digest([]byte(text))
	err := s.Put(ctx, record.BlobKey(digest), strings.NewReader(text), store.Replace)
	return "blob:" + digest, err
}
