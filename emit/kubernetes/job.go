package kubernetes

import (
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// never is the schedule of a CronJob without a schedule, which is suspended: the field is required.
const never = "0 0 1 1 *"

// The numbers of finished Jobs that a CronJob keeps by default.
const (
	successHistory = 3
	failureHistory = 3
)

// runTTL is, if the stack sets none, how long the Job of a finished run, and the pods of a small run, remain for inspection with kubectl. The
// records of a run are in the store.
const runTTL = 24 * 60 * 60

// maxRestarts is how often the Job restarts the coordinator. Each coordinator resumes where the last one stopped.
const maxRestarts = 100

// cronJobs returns the CronJobs of a definition: its own, from which runs are started by hand and by the schedule without a name, and
// one for each other schedule.
func cronJobs(p *program.Program, parts *programParts) ([]*batchv1.CronJob, error) {
	own, err := cronJob(p, parts, p.Schedule(""), "")
	if err != nil {
		return nil, err
	}
	out := []*batchv1.CronJob{own}
	for i := range p.Schedules {
		s := &p.Schedules[i]
		if s.Name == "" {
			continue
		}
		job, err := cronJob(p, parts, s, s.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, job)
	}
	return out, nil
}

// cronJob returns the CronJob of a schedule, which has a name unless it is the only one. s is nil for a definition's CronJob that has no
// schedule.
func cronJob(p *program.Program, parts *programParts, s *program.Schedule, name string) (*batchv1.CronJob, error) {
	suspend, successes, failures := true, int32(successHistory), int32(failureHistory)
	spec := batchv1.CronJobSpec{
		Schedule: never, Suspend: &suspend, ConcurrencyPolicy: batchv1.AllowConcurrent,
		SuccessfulJobsHistoryLimit: &successes, FailedJobsHistoryLimit: &failures,
	}
	if s != nil {
		spec.Schedule, spec.TimeZone, suspend = s.Cron, &s.Timezone, s.Suspend
		spec.ConcurrencyPolicy = map[string]batchv1.ConcurrencyPolicy{
			"allow": batchv1.AllowConcurrent, "forbid": batchv1.ForbidConcurrent, "replace": batchv1.ReplaceConcurrent,
		}[s.Overlap]
		if s.SuccessHistory != nil {
			successes = int32(*s.SuccessHistory)
		}
		if s.FailureHistory != nil {
			failures = int32(*s.FailureHistory)
		}
		if s.Deadline > 0 {
			seconds := int64(s.Deadline.D().Seconds())
			spec.StartingDeadlineSeconds = &seconds
		}
	}
	m := meta(p, kube.ScheduleName(p.Pipeline, name))
	m.Annotations[kube.AnnotationProgram] = parts.digest
	var err error
	if spec.JobTemplate, err = template(p, parts); err != nil {
		return nil, err
	}
	if name != "" {
		m.Annotations[kube.AnnotationSchedule], spec.JobTemplate.Annotations[kube.AnnotationSchedule] = name, name
	}
	ttl := int32(runTTL)
	if d := p.Target.TTL.D(); d > 0 {
		ttl = int32(d.Seconds())
	}
	spec.JobTemplate.Spec.TTLSecondsAfterFinished = &ttl
	return &batchv1.CronJob{TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"}, ObjectMeta: m, Spec: spec}, nil
}

// Job returns a run of a bound program in the form of the CronJob's template, to be applied beside the definition. Its
// name contains the program's digest, so that applying it again changes nothing. It remains until it is deleted.
func Job(p *program.Program) (unstructured.Unstructured, error) {
	parts, err := split(p)
	if err != nil {
		return unstructured.Unstructured{}, err
	}
	t, err := template(p, parts)
	if err != nil {
		return unstructured.Unstructured{}, err
	}
	t.Name, t.Namespace = JobName(p.Pipeline, parts.digest), p.Target.Namespace
	return object(&batchv1.Job{TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}, ObjectMeta: t.ObjectMeta, Spec: t.Spec})
}

// JobName returns the name of the run that Job creates for the program with this digest.
func JobName(pipeline, digest string) string {
	return kube.CronJobName(pipeline) + "-" + strings.TrimPrefix(digest, "sha256:")[:kube.MaxName-kube.MaxCronJob-1]
}

// template returns a run's Job: one coordinator that is restarted until it reports how the run ended.
func template(p *program.Program, parts *programParts) (batchv1.JobTemplateSpec, error) {
	coordinator, err := coordinator(p, parts)
	if err != nil {
		return batchv1.JobTemplateSpec{}, err
	}
	labels, annotations := pod.Labels(p, kube.ComponentCoordinator), pod.Annotations(p)
	annotations[kube.AnnotationProgram] = parts.digest
	one, restarts := int32(1), int32(maxRestarts)
	name := kube.ContainerCoordinator
	return batchv1.JobTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
		Spec: batchv1.JobSpec{
			Parallelism: &one, Completions: &one, BackoffLimit: &restarts,
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
				{
					Action: batchv1.PodFailurePolicyActionFailJob,
					OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
						ContainerName: &name, Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{kube.ExitRunFailed},
					},
				},
				{
					Action:          batchv1.PodFailurePolicyActionIgnore,
					OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}},
				},
			}},
			Template: *coordinator,
		},
	}, nil
}
