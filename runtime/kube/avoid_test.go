package kube

import (
	"encoding/json"
	"io"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestAvoid: each alternative of a pod's affinity excludes the nodes. An empty term, which matches no node, stays empty.
func TestAvoid(t *testing.T) {
	for name, c := range map[string]struct {
		affinity string // of the nodes
		nodes    []string
		want     string
	}{
		"no node":     {``, nil, `null`},
		"no affinity": {``, []string{"a", "b"}, `{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["a"]},{"key":"metadata.name","operator":"NotIn","values":["b"]}]}]}`},
		"alternatives": {
			`{"nodeSelectorTerms":[{"matchExpressions":[{"key":"pool","operator":"Exists"}]},{"matchFields":[{"key":"metadata.name","operator":"In","values":["c"]}]},{}]}`, []string{"a"},
			`{"nodeSelectorTerms":[{"matchExpressions":[{"key":"pool","operator":"Exists"}],"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["a"]}]},` +
				`{"matchFields":[{"key":"metadata.name","operator":"In","values":["c"]},{"key":"metadata.name","operator":"NotIn","values":["a"]}]},{}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := corev1.PodSpec{}
			if c.affinity != "" {
				spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}
				if err := json.Unmarshal([]byte(c.affinity), &spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution); err != nil {
					t.Fatal(err)
				}
			}
			avoid(&spec, c.nodes)
			var required *corev1.NodeSelector
			if spec.Affinity != nil {
				required = spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
			}
			if got, _ := json.Marshal(required); string(got) != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestAvoidNode: the pod of an attempt excludes the nodes on which earlier attempts failed, only if
// the step says so.
func TestAvoidNode(t *testing.T) {
	for name, avoids := range map[string]bool{"avoids": true, "stays": false} {
		inBubble(t, name, func(t *testing.T) {
			r := newRig(t, &program.Program{Steps: []program.Step{{Name: "a", Retry: program.Retry{Attempts: 3, AvoidNode: avoids}}}})
			var excluded [][]string
			r.runs = func(pod corev1.Pod) {
				var names []string
				if pod.Spec.Affinity != nil {
					for _, f := range pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields {
						names = append(names, f.Values...)
					}
				}
				excluded = append(excluded, names)
				kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) { p.Spec.NodeName = "n" + p.Labels[kube.LabelAttempt] })
			}
			r.outcome = func(_ string, attempt int) *record.Result {
				if attempt < 3 {
					return &record.Result{Status: record.Failed, Class: record.ClassUser, Reason: record.ReasonError}
				}
				return &record.Result{Status: record.Succeeded}
			}
			end, err := r.coordinate(t.Context(), r.store, "one", io.Discard)
			if err != nil || end.Status != record.Succeeded {
				t.Fatalf("%+v, %v", end, err)
			}
			want := [][]string{nil, {"n1"}, {"n1", "n2"}}
			if !avoids {
				want = [][]string{nil, nil, nil}
			}
			if !slices.EqualFunc(excluded, want, slices.Equal[[]string]) {
				t.Errorf("the attempts excluded the nodes %s", show(excluded))
			}
		})
	}
}

func show(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}
