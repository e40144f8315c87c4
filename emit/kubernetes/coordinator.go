package kubernetes

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// coordinatorGrace is how long a coordinator has to stop, during which it only stores its state.
const coordinatorGrace = 30

// coordinator returns the pod that runs the program.
func coordinator(p *program.Program, parts *programParts) corev1.PodSpec {
	t := p.Target
	yes, no, user, grace := true, false, int64(kube.DefaultUser), int64(coordinatorGrace)
	c := corev1.Container{
		Name:                     kube.ContainerCoordinator,
		Image:                    t.Agent,
		Args:                     []string{"coordinate"},
		Env:                      coordinatorEnv(t),
		Resources:                coordinatorResources(),
		TerminationMessagePath:   corev1.TerminationMessagePathDefault,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
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
	return corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever, // podFailurePolicy requires it
		ServiceAccountName:            kube.CoordinatorName(p.Pipeline),
		AutomountServiceAccountToken:  &yes,
		EnableServiceLinks:            &no,
		TerminationGracePeriodSeconds: &grace,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, FSGroup: &user,
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{c},
		Volumes: []corev1.Volume{
			parts.volume(p),
			{Name: kube.VolumeTmp, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
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
		{Name: "GOMEMLIMIT", Value: "100MiB"}, // below the limit, so that the garbage collector frees memory before the limit is reached
	}
}

func coordinatorResources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(50, resource.DecimalSI), corev1.ResourceMemory: *resource.NewQuantity(64<<20, resource.BinarySI)},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(128<<20, resource.BinarySI)},
	}
}
