package pod_test

import (
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// TestDeadlines: a pod has a deadline if its step or a pipeline that it belongs to has a timeout, after the shortest of them. A step of
// `finally` runs when the pipeline has timed out. A step without any timeout has no deadline.
func TestDeadlines(t *testing.T) {
	hours := func(n time.Duration) program.Duration { return program.Duration(n * time.Hour) }
	step := func(name string, timeout program.Duration) program.Step {
		return program.Step{Name: name, Image: "debian:12", Command: []program.Value{{Const: json.RawMessage(`"true"`)}}, Timeout: timeout}
	}
	call := func(name, pipeline string) program.Step {
		return program.Step{Name: name, Call: &program.Call{Pipeline: pipeline}}
	}
	called := func(name string, timeout program.Duration, steps ...program.Step) program.Called {
		return program.Called{Name: name, Timeout: timeout, Steps: steps, Finally: []program.Step{step(name+"-last", 0)}}
	}
	for _, c := range []struct {
		name    string
		timeout program.Duration // of the run
		want    map[string]int64 // hours
	}{
		{"no timeout of the run", 0, map[string]int64{"own": 2, "short": 1, "twice": 5}},
		{"a timeout of the run", hours(3), map[string]int64{"plain": 3, "own": 2, "long": 3, "outer": 3, "inner": 3, "short": 1, "twice": 5}},
	} {
		p := &program.Program{Version: program.Version, Project: "p", Pipeline: "p", Timeout: c.timeout, Steps: []program.Step{
			step("plain", 0), step("own", hours(2)), call("a", "outer"), call("b", "short"), call("c", "twice"),
		}, Finally: []program.Step{step("last", 0), call("d", "twice")}, Called: []program.Called{
			called("inner", 0, step("inner", 0)),
			called("outer", 0, step("outer", 0), call("e", "inner")),
			called("short", hours(1), step("short", 0)),
			called("twice", hours(5), step("twice", 0)),
		}}
		if c.timeout > 0 {
			p.Steps = append(p.Steps, step("long", hours(100)))
		}
		bound, _, err := pod.Bind(p, k8s(nil), nil, pod.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range bound.Every() {
			if s.Call != nil {
				continue
			}
			var template corev1.PodTemplateSpec
			if err := json.Unmarshal(s.Pod, &template); err != nil {
				t.Fatal(err)
			}
			got := template.Spec.ActiveDeadlineSeconds
			want, limited := c.want[s.Name]
			const margin = 30*60 + 2*15*60 + 30 // pending, the store, the wrapper
			if limited != (got != nil) || limited && *got != want*3600+margin {
				t.Errorf("%s: %s has the deadline %v, expected that of %d hours", c.name, s.Name, number(got), want)
			}
		}
	}
}
