package program

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Variant holds the attributes of the pod that replace those of a step, for some of its instances or for some values of params.
type Variant struct {
	Image          string            `json:"image,omitempty"`
	SecretEnv      []Secret          `json:"secret_env,omitempty"` // sorted by name
	Resources      *Resources        `json:"resources,omitempty"`
	NodeSelector   map[string]string `json:"node_selector,omitempty"`
	ServiceAccount string            `json:"service_account,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	Annotations    map[string]string `json:"annotations,omitempty"`
	Security       *Security         `json:"security,omitempty"`
	PodPatch       json.RawMessage   `json:"pod_patch,omitempty"`
	ImageDigest    string            `json:"image_digest,omitempty"`
	Pod            json.RawMessage   `json:"pod,omitempty"`
}

// VariantOf returns the attributes of a step's pod.
func VariantOf(s *Step) Variant {
	return Variant{
		Image: s.Image, SecretEnv: s.SecretEnv, Resources: s.Resources, NodeSelector: s.NodeSelector, ServiceAccount: s.ServiceAccount,
		Labels: s.Labels, Annotations: s.Annotations, Security: s.Security, PodPatch: s.PodPatch, ImageDigest: s.ImageDigest, Pod: s.Pod,
	}
}

// With returns the step with the attributes of a variant, and without variants.
func (s *Step) With(v *Variant) *Step {
	out := *s
	out.Image, out.SecretEnv, out.Resources, out.NodeSelector, out.ServiceAccount = v.Image, v.SecretEnv, v.Resources, v.NodeSelector, v.ServiceAccount
	out.Labels, out.Annotations, out.Security, out.PodPatch = v.Labels, v.Annotations, v.Security, v.PodPatch
	out.ImageDigest, out.Pod, out.Variants, out.Variant, out.VariantParams = v.ImageDigest, v.Pod, nil, nil, nil
	return &out
}

// VariantKey returns the key of an entry in Variant. instance is the key of the instance; "": none. params are the JSON values of
// VariantParams, in this order.
func VariantKey(instance string, params []json.RawMessage) string {
	if len(params) == 0 {
		return instance
	}
	var b strings.Builder
	for i, p := range params {
		b.WriteByte("[,"[min(i, 1)])
		b.Write(p)
	}
	b.WriteByte(']')
	return b.String() + instance
}

// Chosen returns the step with the pod of a VariantKey. It reports false if the step has pods for params, but none for this key.
func (s *Step) Chosen(key string) (*Step, bool) {
	if i, ok := s.Variant[key]; ok && i >= 0 && i < len(s.Variants) {
		return s.With(&s.Variants[i]), true
	}
	return s, len(s.VariantParams) == 0
}

// Idle reports whether for_each is known to be empty: the step then has no instances and no pod.
func (s *Step) Idle() bool {
	if s.ForEach == nil {
		return false
	}
	text := bytes.TrimSpace(s.ForEach.Value.Const)
	return bytes.Equal(text, []byte("[]")) || bytes.Equal(text, []byte("{}"))
}

// Bodies returns the step once for each of its pods: the step itself if all its instances have the same pod.
func (s *Step) Bodies() []*Step {
	if len(s.Variants) == 0 {
		return []*Step{s}
	}
	out := make([]*Step, len(s.Variants))
	for i := range s.Variants {
		out[i] = s.With(&s.Variants[i])
	}
	return out
}
