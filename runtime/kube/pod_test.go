package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"pipec.dev/pipec/schema/kube"
)

// After an attempt ran out of memory, the containers of the step get more, and those of pipec and sidecars do not.
func TestGrow(t *testing.T) {
	container := func(name string) corev1.Container {
		memory := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("100Mi"), corev1.ResourceCPU: resource.MustParse("1")}
		return corev1.Container{Name: name, Resources: corev1.ResourceRequirements{Requests: memory.DeepCopy(), Limits: memory}}
	}
	spec := corev1.PodSpec{
		InitContainers: []corev1.Container{container(kube.ContainerAgent), container("prepare"), {Name: "unlimited"}},
		Containers:     []corev1.Container{container("proxy"), container(kube.ContainerMain)},
	}
	grow(&spec, 1.5)
	want := map[string]string{kube.ContainerAgent: "100Mi", "prepare": "150Mi", "unlimited": "0", "proxy": "100Mi", kube.ContainerMain: "150Mi"}
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for _, c := range list {
			limit, request := c.Resources.Limits.Memory().String(), c.Resources.Requests.Memory().String()
			if limit != want[c.Name] || request != want[c.Name] {
				t.Errorf("%s: request %s, limit %s", c.Name, request, limit)
			}
		}
	}
}
