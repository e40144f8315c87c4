package kubernetes

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// coordinatorGrace is how long a coordinator has to stop, during which it only stores its state.
const coordinatorGrace = 30

// coordinator returns the pod that runs the program.
func coordinator(p *program.Program, parts *programParts) (*corev1.PodTemplateSpec, error) {
	t := p.Target
	yes, no, grace := true, false, int64(coordinatorGrace)
	c := corev1.Container{
		Name:                     kube.ContainerCoordinator,
		Image:                    t.Agent,
		Args:                     []string{"coordinate"},
		Env:                      coordinatorEnv(t),
		TerminationMessagePath:   corev1.TerminationMessagePathDefault,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		VolumeMounts: []corev1.VolumeMount{
			{Name: kube.VolumeProgram, MountPath: kube.ProgramDir, ReadOnly: true},
			{Name: kube.VolumeTmp, MountPath: "/tmp"},
		},
	}
	if t.Store.Secret != "" {
		c.EnvFrom = []corev1.EnvFromSource{{
			Prefix:    kube.EnvStorePrefix,
			SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: t.Store.Secret}},
		}}
	}
	if t.Restarts {
		never := corev1.ContainerRestartPolicyNever
		c.RestartPolicy = &never
		c.RestartPolicyRules = []corev1.ContainerRestartRule{{
			Action: corev1.ContainerRestartRuleActionRestart,
			ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{
				Operator: corev1.ContainerRestartRuleOnExitCodesOpNotIn, Values: []int32{0, kube.ExitRunFailed},
			},
		}}
	}
	spec := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever, // podFailurePolicy requires it
		ServiceAccountName:            kube.CoordinatorName(p.Pipeline),
		AutomountServiceAccountToken:  &yes,
		EnableServiceLinks:            &no,
		TerminationGracePeriodSeconds: &grace,
		Containers:                    []corev1.Container{c},
		Volumes: []corev1.Volume{
			parts.volume(p),
			{Name: kube.VolumeTmp, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
	out := &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: pod.Labels(p, kube.ComponentCoordinator), Annotations: pod.Annotations(p)}, Spec: spec,
	}
	return out, pod.Coordinator(t, out)
}

// coordinatorEnv returns variables that identify the run: the Job controller labels the Job's pods with it.
func coordinatorEnv(t *program.Target) []corev1.EnvVar {
	store, _ := json.Marshal(t.Store.ForCoordinator()) // strings and a bool: never fails
	own := func(name, path string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}}
	}
	return []corev1.EnvVar{
		{Name: kube.EnvStore, Value: string(store)},
		own(kube.EnvJobName, "metadata.labels['batch.kubernetes.io/job-name']"),
		own(kube.EnvJobUID, "metadata.labels['batch.kubernetes.io/controller-uid']"),
		own(kube.EnvNamespace, "metadata.namespace"),
		own(kube.EnvPodName, "metadata.name"),
		own(kube.EnvPodUID, "metadata.uid"),
	}
}
