package pod

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"pipec.dev/pipec/schema/program"
)

// resources are what the container asks of its node. It may take as much memory and disk as it asks for, and no more,
// unless the step says so: what is over-committed ends the steps of others.
func resources(r *program.Resources) corev1.ResourceRequirements {
	var out corev1.ResourceRequirements
	if r == nil {
		return out
	}
	set := func(list *corev1.ResourceList, name corev1.ResourceName, text string) {
		if text == "" {
			return
		}
		q, err := resource.ParseQuantity(text)
		if err != nil {
			return // the compiler has read it
		}
		if *list == nil {
			*list = corev1.ResourceList{}
		}
		(*list)[name] = q
	}
	limit := r.MemoryLimit
	if limit == "" {
		limit = r.Memory
	}
	set(&out.Requests, corev1.ResourceCPU, r.CPU)
	set(&out.Requests, corev1.ResourceMemory, r.Memory)
	set(&out.Requests, corev1.ResourceEphemeralStorage, r.Storage)
	set(&out.Limits, corev1.ResourceCPU, r.CPULimit)
	set(&out.Limits, corev1.ResourceMemory, limit)
	set(&out.Limits, corev1.ResourceEphemeralStorage, r.Storage)
	for name, text := range r.Extended {
		set(&out.Limits, corev1.ResourceName(name), text) // Kubernetes asks for as much
	}
	return out
}
