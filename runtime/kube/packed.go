package kube

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// packedPods stores the pods of a program in little memory: the pods of a large program differ in few parts, such as the
// step's name. In the program, each pod is replaced with its number here. After the program was loaded, it is safe for
// concurrent use.
type packedPods struct {
	templates [][]string    // the parts of pods from which others are built
	byLength  map[int][]int // the templates with so many parts, the newest last
	pods      []packedPod   // by number
	specs     specs
}

// packedPod is a template and the parts that are not equal.
type packedPod struct {
	template int
	parts    []packedPart
}

type packedPart struct {
	at   int
	text string
}

// separator ends a part of a pod. Its position does not matter: parts are only joined again.
const separator = ","

const (
	// similar is how many parts of a template there must be for each one that differs.
	similar = 4
	// tried is how many templates a pod is compared with.
	tried = 4
)

func newPackedPods() *packedPods {
	return &packedPods{byLength: map[int][]int{}}
}

// take stores a pod, and returns its number as JSON. A step without a pod has none.
func (s *packedPods) take(pod json.RawMessage) json.RawMessage {
	if pod == nil {
		return nil
	}
	parts := strings.Split(string(pod), separator)
	known := s.byLength[len(parts)]
	for i := len(known) - 1; i >= max(0, len(known)-tried); i-- {
		if diff, ok := differences(s.templates[known[i]], parts); ok {
			return s.add(packedPod{known[i], diff})
		}
	}
	s.templates = append(s.templates, parts)
	s.byLength[len(parts)] = append(known, len(s.templates)-1)
	return s.add(packedPod{template: len(s.templates) - 1})
}

func (s *packedPods) add(p packedPod) json.RawMessage {
	s.pods = append(s.pods, p)
	return strconv.AppendInt(nil, int64(len(s.pods)-1), 10)
}

// differences returns the parts that are not equal. It reports false if there are so many that they need much memory.
func differences(template, parts []string) (out []packedPart, ok bool) {
	for i, text := range parts {
		if text == template[i] {
			continue
		}
		if len(out)*similar >= len(parts) {
			return nil, false
		}
		out = append(out, packedPart{i, text})
	}
	for i := range out {
		out[i].text = strings.Clone(out[i].text) // the pod itself is not kept
	}
	return out, true
}

// parse returns the pod with a number. The caller may change it.
func (s *packedPods) parse(number json.RawMessage) (t corev1.PodTemplateSpec, err error) {
	data, err := s.pod(number)
	if err != nil {
		return t, err
	}
	var parts struct {
		Metadata *metav1.ObjectMeta `json:"metadata"`
		Spec     json.RawMessage    `json:"spec"`
	}
	parts.Metadata = &t.ObjectMeta
	if err := json.Unmarshal(data, &parts); err != nil {
		return t, err
	}
	t.Spec, err = s.specs.parse(parts.Spec)
	return t, err
}

// pod returns the pod with a number.
func (s *packedPods) pod(number json.RawMessage) (json.RawMessage, error) {
	i, err := strconv.Atoi(string(number))
	if err != nil || i < 0 || i >= len(s.pods) {
		return nil, fmt.Errorf("there is no pod %q", number)
	}
	p := s.pods[i]
	parts := append([]string(nil), s.templates[p.template]...)
	for _, d := range p.parts {
		parts[d.at] = d.text
	}
	return json.RawMessage(strings.Join(parts, separator)), nil
}
