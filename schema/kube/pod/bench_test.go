package pod_test

import (
	"fmt"
	"testing"

	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// BenchmarkBind binds 10,000 steps.
func BenchmarkBind(b *testing.B) {
	p := &program.Program{Pipeline: "p"}
	for i := range 10000 {
		p.Steps = append(p.Steps, program.Step{
			Name: fmt.Sprintf("step_%05d", i), Image: "debian:12", Resources: &program.Resources{CPU: "1", Memory: "1Gi"},
		})
	}
	stack := k8s(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := pod.Bind(p, stack, nil, pod.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
