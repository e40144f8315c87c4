package pod

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
)

var quantities = rapid.SampledFrom([]string{"", "10m", "500m", "2", "48Mi", "64Mi", "1Gi"})

func drawResources(t *rapid.T, name string) *program.Resources {
	draw := func(part string) string { return quantities.Draw(t, name+" "+part) }
	r := &program.Resources{CPU: draw("cpu"), CPULimit: draw("cpu_limit"), Memory: draw("memory"), MemoryLimit: draw("memory_limit")}
	for _, pair := range [][2]*string{{&r.CPU, &r.CPULimit}, {&r.Memory, &r.MemoryLimit}} {
		request, limit := *pair[0], *pair[1]
		if request != "" && limit != "" && less(resource.MustParse(limit), resource.MustParse(request)) {
			*pair[1] = request // the compiler rejects a limit below the request
		}
	}
	return r
}

func less(a, b resource.Quantity) bool { return a.Cmp(b) < 0 }

// consistent reports a request above its limit, which the API server rejects, and what a quota misses.
func consistent(t *rapid.T, c *corev1.Container, complete bool) {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		request, requested := c.Resources.Requests[name]
		limit, limited := c.Resources.Limits[name]
		if requested && limited && less(limit, request) {
			t.Fatalf("%s: the request for %s is %s, and the limit %s", c.Name, name, request.String(), limit.String())
		}
		if complete && !(requested && limited) {
			t.Fatalf("%s: request for %s %v, limit %v", c.Name, name, requested, limited)
		}
	}
}

// TestFill: with complete default resources, every container has requests and limits that fit, and keeps its own.
func TestFill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		own := resources(drawResources(t, "own"))
		defaults := drawResources(t, "default")
		spec := corev1.PodSpec{InitContainers: []corev1.Container{{Name: "bare"}}, Containers: []corev1.Container{{Name: "main", Resources: *own.DeepCopy()}}}
		fill(&spec, defaults)
		complete := defaults.CPU != "" && defaults.CPULimit != "" && defaults.Memory != ""
		for _, c := range []*corev1.Container{&spec.InitContainers[0], &spec.Containers[0]} {
			consistent(t, c, complete)
		}
		for _, pair := range [][2]corev1.ResourceList{{own.Requests, spec.Containers[0].Resources.Requests}, {own.Limits, spec.Containers[0].Resources.Limits}} {
			for name, want := range pair[0] {
				if got := pair[1][name]; got.Cmp(want) != 0 {
					t.Fatalf("%s is %s, and the container declares %s", name, got.String(), want.String())
				}
			}
		}
	})
}

// TestCoordinatorResources: whatever a stack sets, the requests of the coordinator fit its limits, and its memory is enough.
func TestCoordinatorResources(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := drawResources(t, "coordinator")
		out := CoordinatorPod()
		if err := Coordinator(&program.Target{Coordinator: &program.Coordinator{Resources: set}, DefaultResources: drawResources(t, "default")}, out); err != nil {
			t.Fatal(err)
		}
		consistent(t, &out.Spec.Containers[0], false)
		if limit := out.Spec.Containers[0].Resources.Limits.Memory(); set.MemoryLimit == "" && limit.Value() < coordinatorMemoryLimit {
			t.Fatalf("the limit for memory is %s", limit)
		}
	})
}
