package kube

import (
	"encoding/json"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// keptSpecs is how many specs are kept. Each needs some 20 kB of memory.
const keptSpecs = 16

// specs parses the specs of pods, and keeps those that were needed last: many steps have the same one, and a copy takes a
// twentieth of the time. The zero value is empty. It is safe for concurrent use.
type specs struct {
	mu   sync.Mutex
	kept []keptSpec // the one that was needed last is the last one
}

type keptSpec struct {
	text string
	spec *corev1.PodSpec // is not changed
}

// parse returns the spec with this text; nil: an empty one. The caller may change the spec.
func (s *specs) parse(text json.RawMessage) (out corev1.PodSpec, err error) {
	if text == nil {
		return out, nil
	}
	if spec := s.find(text); spec != nil {
		spec.DeepCopyInto(&out)
		return out, nil
	}
	spec := &corev1.PodSpec{}
	if err := json.Unmarshal(text, spec); err != nil {
		return out, err
	}
	s.keep(keptSpec{string(text), spec})
	spec.DeepCopyInto(&out)
	return out, nil
}

func (s *specs) find(text []byte) *corev1.PodSpec {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.kept) - 1; i >= 0; i-- {
		if k := s.kept[i]; k.text == string(text) {
			s.kept = append(slices.Delete(s.kept, i, i+1), k)
			return k.spec
		}
	}
	return nil
}

func (s *specs) keep(k keptSpec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) == keptSpecs {
		s.kept = slices.Delete(s.kept, 0, 1)
	}
	s.kept = append(s.kept, k)
}
