package pod

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"pipec.dev/pipec/schema/kube"
)

// AgentMemory is the maximum memory of the agent in addition to the user's process, in bytes. No step may have less.
const AgentMemory = 32 << 20

// agent brings pipec-agent into the pod of a step: by a volume of its image, which the container runtime mounts, or by
// an init container that copies it out of its image; or it is in the step's own image.
func (b *binder) agent(spec *corev1.PodSpec, main *corev1.Container) {
	t := b.common.target
	if t.Wrapper == WrapperIncluded {
		return
	}
	volume := corev1.Volume{Name: kube.VolumeAgent}
	if t.Wrapper == WrapperImage {
		volume.Image = &corev1.ImageVolumeSource{Reference: t.Agent, PullPolicy: corev1.PullIfNotPresent}
	} else {
		volume.EmptyDir = &corev1.EmptyDirVolumeSource{}
		yes := true
		spec.InitContainers = []corev1.Container{{
			Name:                     kube.ContainerAgent,
			Image:                    t.Agent,
			Args:                     []string{"copy", kube.AgentCopyDir},
			Resources:                agentResources(&main.Resources),
			VolumeMounts:             []corev1.VolumeMount{{Name: kube.VolumeAgent, MountPath: kube.AgentCopyDir}},
			SecurityContext:          &corev1.SecurityContext{ReadOnlyRootFilesystem: &yes},
			TerminationMessagePath:   corev1.TerminationMessagePathDefault,
			TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		}}
	}
	spec.Volumes = append(spec.Volumes, volume)
	main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: kube.VolumeAgent, MountPath: kube.AgentDir, ReadOnly: true})
}

// agentResources returns the resources of the init container. If main declares limits for cores or disk, the init container has the
// same ones, because a ResourceQuota may require them of every container. The pod doesn't need more by that: init containers run
// before the others.
func agentResources(main *corev1.ResourceRequirements) corev1.ResourceRequirements {
	memory := *resource.NewQuantity(AgentMemory, resource.BinarySI)
	out := corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(10, resource.DecimalSI), corev1.ResourceMemory: memory},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: memory},
	}
	if limit, ok := main.Limits[corev1.ResourceCPU]; ok {
		out.Limits[corev1.ResourceCPU] = limit
		if request := out.Requests[corev1.ResourceCPU]; request.Cmp(limit) > 0 {
			out.Requests[corev1.ResourceCPU] = limit
		}
	}
	if limit, ok := main.Limits[corev1.ResourceEphemeralStorage]; ok {
		out.Limits[corev1.ResourceEphemeralStorage], out.Requests[corev1.ResourceEphemeralStorage] = limit, limit
	}
	return out
}
