package kube

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestSpecs: specs that are parsed again are equal and independent, and only some are kept.
func TestSpecs(t *testing.T) {
	var s specs
	text := func(i int) json.RawMessage {
		return fmt.Appendf(nil, `{"containers":[{"name":"main","image":"i%d","env":[{"name":"A","value":"b"}]}]}`, i)
	}
	var all sync.WaitGroup
	for i := range 3 * keptSpecs {
		for range 3 {
			all.Go(func() {
				spec, err := s.parse(text(i))
				if err != nil || len(spec.Containers) != 1 || spec.Containers[0].Image != fmt.Sprint("i", i) || len(spec.Containers[0].Env) != 1 {
					t.Errorf("%+v, %v", spec, err)
					return
				}
				c := &spec.Containers[0]
				c.Image, c.Env[0].Value = "changed", "changed"
				c.Env = append(c.Env, corev1.EnvVar{Name: "MORE"})
			})
		}
	}
	all.Wait()
	if len(s.kept) != keptSpecs {
		t.Errorf("%d specs are kept", len(s.kept))
	}
	for i := range 3 * keptSpecs {
		spec, err := s.parse(text(i))
		if err != nil || spec.Containers[0].Image != fmt.Sprint("i", i) || spec.Containers[0].Env[0].Value != "b" {
			t.Errorf("again: %+v, %v", spec, err)
		}
	}
	if _, err := s.parse(json.RawMessage(`{"containers":1}`)); err == nil {
		t.Error("a spec with a mistake was accepted")
	}
	if spec, err := s.parse(nil); err != nil || spec.Containers != nil {
		t.Errorf("no spec: %+v, %v", spec, err)
	}
}
