package remote

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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

// maxInline is where params are kept in the store: all annotations of an object have 256 KiB together.
const maxInline = 64 << 10

// StartOptions say what a run is started with.
type StartOptions struct {
	Pipeline string
	Name     string                     // of the run; "": one is made of the definition's name, the time and chance
	Params   map[string]json.RawMessage // those that differ from what the definition says
	Only     []string                   // the steps to run, with all that they need; empty: all
	RerunOf  string                     // the run whose results are kept
	Kept     []string                   // the steps whose results are kept
	Store    store.Store                // where large params are kept
	Now      time.Time
}

// NotAppliedError says that the pipeline has no definition in the namespace.
type NotAppliedError struct{ Pipeline, Namespace string }

func (e *NotAppliedError) Error() string {
	return fmt.Sprintf("pipeline %s has not been applied in namespace %s", e.Pipeline, e.Namespace)
}

// NameTakenError says that there is a run of that name.
type NameTakenError struct{ Name string }

func (e *NameTakenError) Error() string { return "there is a run " + e.Name + " already" }

// BadNameError says that a run can't have that name: its Job has it, and its pods carry it as a label.
type BadNameError struct{ Name, Better string }

func (e *BadNameError) Error() string {
	return fmt.Sprintf("a run on a cluster can't be named %q: a name has at most %[2]d lower case letters, digits and -; for example %[3]q", e.Name, kube.MaxName, e.Better)
}

// CheckName says whether a run can have that name.
func CheckName(name string) error {
	if name == "" || kube.Name(name, kube.MaxName) != name {
		return &BadNameError{Name: name, Better: strings.ToLower(kube.Name(name, kube.MaxName))}
	}
	return nil
}

// Definition is the CronJob of a pipeline; a *NotAppliedError where there is none.
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

// Start starts a run of the definition as it stands in the cluster: the Job that `kubectl create job --from` would make,
// with what the run is asked for as annotations. As there the CronJob owns it: its history limits remove the Jobs of
// ended runs, whose records stay; kubectl that deletes the CronJob takes its runs along, which `pipec destroy` does not.
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

// RunName makes a name of the definition's: with the time in seconds and chance, since two may start at once. It is cut
// where it would be longer than a Job's may be.
func RunName(definition string, now time.Time) string {
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	suffix := "-" + now.UTC().Format("060102150405") + "-" + hex.EncodeToString(random[:])
	if room := kube.MaxName - len(suffix); len(definition) > room {
		definition = strings.TrimRight(definition[:room], "-")
	}
	return definition + suffix
}

// annotate writes what the coordinator reads on its Job.
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
			ref, err := keep(ctx, o.Store, text)
			if err != nil {
				return fmt.Errorf("the params are too large for the Job and could not be stored: %w", err)
			}
			job.Annotations[kube.AnnotationParams] = ref
		}
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
	return set(kube.AnnotationKept, o.Kept)
}

// keep stores a text as a blob, and gives what an annotation says instead.
func keep(ctx context.Context, s store.Store, text string) (string, error) {
	digest := program.Digest([]byte(text))
	err := s.Put(ctx, record.BlobKey(digest), strings.NewReader(text), store.Replace)
	return "blob:" + digest, err
}
