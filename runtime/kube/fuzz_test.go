package kube

import (
	"encoding/json"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/program/programtest"
	"pipec.dev/pipec/schema/record"
)

// FuzzProgram takes any program from its JSON to the pods of a run, as a coordinator does with what it finds in a
// ConfigMap: it is refused, or steps fail, or there are pods. Every attempt ends as the fuzzer says, so that all that comes
// after is made too.
func FuzzProgram(f *testing.F) {
	stack := &program.Stack{
		Name: "k8s", Orchestrator: program.Orchestrator{Kind: "kubernetes", Namespace: "ml"},
		ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"},
		Registry:      &program.Registry{Kind: "generic", URI: "registry.example.com/team"},
	}
	for _, data := range programtest.Golden(f, "../../testdata/programs") {
		f.Add([]byte(data), []byte{}, false)
		p, err := program.Decode(data)
		if err != nil {
			f.Fatal(err)
		}
		bound, _, err := pod.Bind(p, stack, nil, pod.Options{Version: "v1.37.2"})
		if err != nil {
			continue // it has no image
		}
		encoded, err := bound.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded, []byte{0, 1, 2, 3}, true)
	}
	s, err := store.OpenLocal(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, data, ends []byte, bound bool) {
		p, err := program.Decode(data)
		if err != nil {
			return
		}
		if !bound {
			if p, _, err = pod.Bind(p, stack, nil, pod.Options{Version: "v1.37.2"}); err != nil {
				return
			}
		}
		if p.Target == nil { // refused before the engine is asked
			return
		}
		l := &Loaded{program: p, pods: newPackedPods()}
		for _, step := range p.Every() {
			l.pack(step)
		}
		run := &record.Run{Version: 1, Name: "r", Pipeline: p.Pipeline, Namespace: "ml", Params: map[string]json.RawMessage{}}
		for _, param := range p.Params {
			run.Params[param.Name] = param.Default
		}
		state, err := engine.New(p, run, 0)
		if err != nil {
			return
		}
		d := newDriver(&Options{Namespace: "ml", Job: "r", JobUID: "0-0", Store: s}, l)
		d.record = run
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		queue := []record.Event{{Type: record.RunStarted, At: at}}
		for n := 0; len(queue) > 0 && n < 300; n++ {
			e := queue[0]
			queue = queue[1:]
			var actions []engine.Action
			state, actions = engine.Next(state, e)
			for _, a := range actions {
				switch a := a.(type) {
				case engine.CheckCache:
					queue = append(queue, record.Event{Type: record.CacheChecked, At: at, Step: a.Step, Attempt: a.Attempt})
				case engine.SetTimer:
					queue = append(queue, record.Event{Type: record.TimerFired, At: a.At, Timer: a.Name})
				case engine.RequestSlot:
					queue = append(queue, record.Event{Type: record.GroupEntered, At: at, Step: a.Step, Attempt: a.Attempt})
				case engine.RequestApproval:
					queue = append(queue, record.Event{Type: record.ApprovalGiven, At: at, Step: a.Step, Answer: anAnswer(&a.Ask)})
				case engine.StartAttempt:
					made, _, err := d.pod(t.Context(), &attempt{d: d, id: record.AttemptID{Step: a.Step, Attempt: a.Attempt}, spec: a.Spec, name: "x"})
					if err == nil && made.Name != "x" {
						t.Fatalf("the pod of %s is named %q", a.Step, made.Name)
					}
					end := byte(0)
					if len(ends) > 0 {
						end = ends[n%len(ends)]
					}
					queue = append(queue, record.Event{Type: record.AttemptEnded, At: at, Step: a.Step, Attempt: a.Attempt, Result: anEnd(a.Def, end)})
				}
			}
		}
	})
}

// anAnswer is one that the approval takes: with its default or another value, as far as there is one.
func anAnswer(ask *record.Ask) *record.Answer {
	for _, value := range []json.RawMessage{nil, ask.Default, []byte(`1`), []byte(`"1"`), []byte(`true`), []byte(`[]`), []byte(`{}`)} {
		if a := (&record.Answer{Value: value}); engine.CheckAnswer(ask, a) == nil {
			return a
		}
	}
	return &record.Answer{Reject: true}
}

// anEnd is a success, with outputs or without, or a failure of one kind or another.
func anEnd(s *program.Step, kind byte) *record.Result {
	r := &record.Result{Version: 1, Status: record.Succeeded}
	switch kind % 5 {
	case 1:
		code := int(kind)
		r.Status, r.Class, r.Reason, r.ExitCode = record.Failed, record.ClassUser, record.ReasonError, &code
	case 2:
		r.Status, r.Class, r.Reason = record.Failed, record.ClassUser, record.ReasonOOM
	case 3:
		r.Status, r.Class, r.Reason = record.TimedOut, record.ClassUser, record.ReasonTimeout
	case 4:
		r.Status, r.Class, r.Reason = record.Failed, record.ClassInfrastructure, record.ReasonLost
	default:
		for _, o := range s.Outputs {
			datum := record.Datum{Name: o.Name, Type: o.Type, Value: json.RawMessage(`[1,2]`)}
			if kind >= 128 {
				datum.Value, datum.Artifact = nil, &record.Artifact{Digest: "sha256:abc", Size: 1}
			}
			r.Outputs = append(r.Outputs, datum)
		}
	}
	return r
}
