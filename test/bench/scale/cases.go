package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// scenario is what is measured.
type scenario struct {
	name     string
	steps    int // of each run
	runs     int // at the same time
	width    int // steps in a layer; 0: one step with an instance for each element of a list
	parallel int
	value    int           // bytes of each step's output; 0: a number
	lasts    time.Duration // how long a pod runs, on average
	costly   bool          // its processor time has no goal: the content of values or logs causes it, or the start of processes
	deaths   bool          // all pods are killed together, before they commit a result
	restart  bool          // the coordinator is killed after half of the pods were created
	compared bool          // the rate of creations is compared with that of plain connections
	prompt   bool          // the time from the end of a pod to the creation of its successor has a goal
}

func cases() []scenario {
	return []scenario{
		{name: "wide", steps: 10000, runs: 1, parallel: 200, compared: true},
		{name: "deep", steps: 10000, runs: 1, width: 100, parallel: 200, compared: true},
		{name: "broad", steps: 10000, runs: 1, parallel: 10000, lasts: 20 * time.Second},
		{name: "steady", steps: 2000, runs: 1, width: 100, parallel: 200, lasts: 2 * time.Second, prompt: true},
		{name: "values", steps: 2000, runs: 1, width: 100, parallel: 200, value: 60000, costly: true},
		{name: "deaths", steps: 200, runs: 1, width: 200, parallel: 200, deaths: true, costly: true},
		{name: "restart", steps: 10000, runs: 1, width: 100, parallel: 200, restart: true},
		{name: "runs", steps: 100, runs: 50, width: 10, parallel: 10, costly: true},
	}
}

// logSize is how much each pod that is killed has written, in bytes.
const logSize = 4_000_000

// program returns the bound program of a scenario.
func (c *scenario) program() (*program.Program, error) {
	p := &program.Program{Version: program.Version, Pipeline: "p", OnFailure: "continue", MaxParallel: c.parallel}
	if c.width == 0 {
		keys, err := json.Marshal(make([]int, c.steps))
		if err != nil {
			return nil, err
		}
		s := c.step("fan")
		s.ForEach = &program.ForEach{Type: "list(number)", Value: program.Value{Const: keys}, MaxInstances: c.steps}
		s.Inputs = []program.Input{{Name: "k", Type: "number", Value: program.Value{Ref: "each.value"}}}
		p.Steps = append(p.Steps, s)
	}
	for i := range c.steps {
		if c.width > 0 {
			p.Steps = append(p.Steps, c.layered(i))
		}
	}
	stack := &program.Stack{
		Name: "k8s", Orchestrator: program.Orchestrator{Kind: "kubernetes", Namespace: namespace}, ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"},
		Registry: &program.Registry{Kind: "generic", URI: "registry.example.com/team"},
	}
	bound, _, err := pod.Bind(p, stack, nil, pod.Options{Version: "v1.37.2"})
	return bound, err
}

func stepName(i int) string { return fmt.Sprintf("s%06d", i) }

// layered returns step i, which reads outputs of two steps of the previous layer.
func (c *scenario) layered(i int) program.Step {
	s := c.step(stepName(i))
	if i < c.width {
		return s
	}
	first := i/c.width*c.width - c.width
	one, two := stepName(first+i*7%c.width), stepName(first+(i*7+13)%c.width)
	if one == two {
		two = ""
	}
	for n, up := range []string{min(one, two), max(one, two)} {
		if up == "" {
			continue
		}
		s.Inputs = append(s.Inputs, program.Input{Name: string(rune('a' + n)), Type: s.Outputs[0].Type, Value: program.Value{Ref: "step." + up + ".x"}})
		s.Needs = append(s.Needs, program.Need{Step: up, Kind: program.NeedOutput})
	}
	return s
}

func (c *scenario) step(name string) program.Step {
	s := program.Step{
		Name: name, Image: "registry.example.com/team/train@sha256:" + strings.Repeat("a", 64), Grace: program.Duration(30 * time.Second),
		Command: []program.Value{{Const: json.RawMessage(`"python3"`)}, {Const: json.RawMessage(`"-m"`)}, {Const: json.RawMessage(`"train"`)}},
		Retry:   program.Retry{Attempts: 1, Infrastructure: 3}, Outputs: []program.Output{{Name: "x", Type: "number"}},
		Resources: &program.Resources{CPU: "1", Memory: "1Gi"},
	}
	if c.value > 0 {
		s.Outputs[0].Type = "string"
	}
	if c.deaths {
		s.Retry.Infrastructure = 0
	}
	return s
}
