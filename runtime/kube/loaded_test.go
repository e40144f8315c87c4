package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/program/programtest"
)

// opened returns a function that opens an encoding.
func opened(data []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// A loaded program has the pods, the digest and the encoding of the program that it was loaded from.
func TestLoad(t *testing.T) {
	stack := &program.Stack{
		Name: "k8s", Orchestrator: program.Orchestrator{Kind: "kubernetes", Namespace: "ml"}, ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"},
		Registry: &program.Registry{Kind: "generic", URI: "registry.example.com/team"},
	}
	loaded := 0
	for name, data := range programtest.Golden(t, "../../testdata/programs") {
		p, err := program.Decode([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		bound, _, err := pod.Bind(p, stack, nil, pod.Options{Version: "v1.37.2"})
		if err != nil {
			continue // it has no image
		}
		encoded, err := bound.Encode()
		if err != nil {
			t.Fatal(err)
		}
		l, err := Load(opened(encoded))
		if err != nil {
			t.Errorf("%v: %v", name, err)
			continue
		}
		loaded++
		again, err := l.encoded()
		if err != nil || !bytes.Equal(again, encoded) || l.digest != program.Digest(encoded) {
			t.Errorf("%v: another encoding, or digest %s (%v)", name, l.digest, err)
		}
		want := bound.Every()
		for i, s := range l.program.Every() {
			for j, body := range s.Bodies() {
				if want[i].Bodies()[j].Pod == nil {
					continue // a step without a process
				}
				if got, err := l.pods.pod(body.Pod); err != nil || !bytes.Equal(got, want[i].Bodies()[j].Pod) {
					t.Errorf("%v: step %s has another pod: %s (%v)", name, s.Name, got, err)
				}
			}
		}
	}
	if loaded == 0 {
		t.Error("no program was loaded")
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, data := range []string{"", "{}", `{"version":1}x`, `{"version":99}`} {
		var r *drive.Refusal
		if _, err := Load(opened([]byte(data))); !errors.As(err, &r) {
			t.Errorf("%q: %v, want a refusal", data, err)
		}
	}
	var r *drive.Refusal
	if _, err := Load(func() (io.ReadCloser, error) { return nil, errors.New("no file") }); !errors.As(err, &r) {
		t.Errorf("a file that can't be opened: %v, want a refusal", err)
	}
}

// Packed pods are returned as they were taken, whatever they have in common, and pods that differ in little need little memory.
func TestPackedPods(t *testing.T) {
	s, random := newPackedPods(), rand.New(rand.NewPCG(1, 2))
	var pods, numbers []json.RawMessage
	for i := range 2000 {
		parts := make([]string, random.IntN(30))
		for j := range parts {
			parts[j] = fmt.Sprint(random.IntN(3))
		}
		if i%2 == 0 {
			parts = strings.Split(strings.Repeat("same,", 40), ",")
			parts[random.IntN(40)] = fmt.Sprint(i)
		}
		p := json.RawMessage(strings.Join(parts, ","))
		pods, numbers = append(pods, p), append(numbers, s.take(p))
	}
	for i, n := range numbers {
		if got, err := s.pod(n); err != nil || !bytes.Equal(got, pods[i]) {
			t.Errorf("pod %d is %q, want %q (%v)", i, got, pods[i], err)
		}
	}
	similarPods := 0
	for _, p := range s.pods {
		if len(p.parts) > 0 && len(p.parts) <= 2 {
			similarPods++
		}
	}
	if similarPods < 990 {
		t.Errorf("%d of 1,000 similar pods share a template", similarPods)
	}
	for _, number := range []string{"", "null", "-1", "2000", "x"} {
		if p, err := s.pod(json.RawMessage(number)); err == nil {
			t.Errorf("pod %q: %s, want an error", number, p)
		}
	}
	if s.take(nil) != nil {
		t.Error("a step without a pod has one")
	}
}
