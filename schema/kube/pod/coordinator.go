package pod

import (
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// The resources of a coordinator, if the stack sets no others. Its memory is bounded at any size of a run.
const (
	coordinatorCPU = 50 // thousandths of a core
	// CoordinatorMemory is its request for memory in bytes, and the least limit with which it works.
	CoordinatorMemory      = 64 << 20
	coordinatorMemoryLimit = 128 << 20
)

// Coordinator completes the pod of a coordinator with its identity, its rights and resources, and with what the stack sets for
// it. The pod must contain its container, and labels and annotations of its own, which take precedence.
func Coordinator(t *program.Target, out *corev1.PodTemplateSpec) error {
	set := t.Coordinator
	if set == nil {
		set = &program.Coordinator{}
	}
	out.Labels, out.Annotations = under(set.Labels, out.Labels), under(set.Annotations, out.Annotations)
	spec := &out.Spec
	spec.NodeSelector = set.NodeSelector
	spec.ImagePullSecrets = pullSecrets(t)
	spec.SecurityContext = podSecurity(set.Security, "")
	if set.ServiceAccount != "" {
		spec.ServiceAccountName = set.ServiceAccount
	}
	c := &spec.Containers[0]
	yes := true
	c.SecurityContext = &corev1.SecurityContext{ReadOnlyRootFilesystem: &yes}
	c.Resources = coordinatorResources(set.Resources)
	// The limit of the Go runtime is lower than the container's: the garbage collector frees memory long before that is reached, also in
	// runs of 10,000 steps, and 76 of 128 MiB cost no processor time that make bench-scale can measure.
	soft := c.Resources.Limits.Memory().Value() / 128 * 76 >> 20
	c.Env = append(c.Env, corev1.EnvVar{Name: "GOMEMLIMIT", Value: strconv.FormatInt(soft, 10) + "MiB"})
	if len(set.PodPatch) > 0 {
		patched, err := patch(spec, set.PodPatch)
		if err != nil {
			return fmt.Errorf("the pod of the coordinator: %w", err)
		}
		*spec = *patched
	}
	restrict(spec)
	fill(spec, t.DefaultResources)
	return nil
}

// under returns the entries of both maps; those of own take precedence.
func under(set, own map[string]string) map[string]string {
	if len(set) == 0 {
		return own
	}
	out := maps.Clone(set)
	maps.Copy(out, own)
	return out
}

// coordinatorResources returns the resources of a coordinator, some of which the stack may set. A limit for memory that isn't set
// is never lower than that of other coordinators.
func coordinatorResources(set *program.Resources) corev1.ResourceRequirements {
	out := corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(coordinatorCPU, resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(CoordinatorMemory, resource.BinarySI),
		},
		Limits: corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(coordinatorMemoryLimit, resource.BinarySI)},
	}
	own := resources(set)
	maps.Copy(out.Requests, own.Requests)
	for name, limit := range own.Limits {
		if usual, ok := out.Limits[name]; ok && set.MemoryLimit == "" && limit.Cmp(usual) < 0 {
			continue
		}
		out.Limits[name] = limit
	}
	for name, limit := range out.Limits {
		if request, ok := out.Requests[name]; ok && request.Cmp(limit) > 0 {
			out.Requests[name] = limit
		}
	}
	return out
}

// pullSecrets returns the Secrets for pulling the images of all pods of a stack.
func pullSecrets(t *program.Target) []corev1.LocalObjectReference {
	var out []corev1.LocalObjectReference
	for _, name := range t.ImagePullSecrets {
		out = append(out, corev1.LocalObjectReference{Name: name})
	}
	return out
}

// fill gives the containers of a pod the requests and limits that they don't have: a limit is at least the container's own
// request, and a request is at most its own limit.
func fill(spec *corev1.PodSpec, defaults *program.Resources) {
	if defaults == nil {
		return
	}
	usual := resources(defaults)
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			r := &list[i].Resources
			own := maps.Clone(r.Limits)
			r.Limits = filled(r.Limits, usual.Limits, func(name corev1.ResourceName, q resource.Quantity) resource.Quantity {
				if request, ok := r.Requests[name]; ok && request.Cmp(q) > 0 {
					return request
				}
				return q
			})
			r.Requests = filled(r.Requests, usual.Requests, func(name corev1.ResourceName, q resource.Quantity) resource.Quantity {
				if limit, ok := own[name]; ok && limit.Cmp(q) < 0 {
					return limit
				}
				return q
			})
		}
	}
}

// filled returns a list with the amounts of usual that it lacks, each as fit returns it.
func filled(list, usual corev1.ResourceList, fit func(corev1.ResourceName, resource.Quantity) resource.Quantity) corev1.ResourceList {
	for name, q := range usual {
		if _, ok := list[name]; ok {
			continue
		}
		if list == nil {
			list = corev1.ResourceList{}
		}
		list[name] = fit(name, q)
	}
	return list
}

// CoordinatorPod returns a pod with the coordinator's container, for Coordinator.
func CoordinatorPod() *corev1.PodTemplateSpec {
	return &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: kube.ContainerCoordinator}}}}
}
