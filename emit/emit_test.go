package emit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pipec.dev/pipec/emit"
	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

func bound(t *testing.T, store program.Store) *program.Program {
	t.Helper()
	stack := &program.Stack{
		Name: "s", Orchestrator: program.Orchestrator{Kind: "mock", Namespace: "ml"}, ArtifactStore: store,
		Registry: &program.Registry{Kind: "generic", URI: "registry.test/ml"},
	}
	source := &program.Program{
		Version: program.Version, Project: "pr", Pipeline: "p",
		Steps: []program.Step{{Name: "a", Command: []program.Value{{}}, Image: "busybox"}},
	}
	p, _, err := pod.Bind(source, stack, nil, pod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFind(t *testing.T) {
	set := emit.Builtin()
	if got, err := set.Find("kubernetes"); err != nil || got.Name != "kubernetes" || !got.Bound {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, want := range map[string]string{
		"argo": "the target argo is not supported yet; this version writes kubernetes",
		"x":    `there is no target "x": one of kubernetes, argo, kubeflow, tekton`,
	} {
		_, err := set.Find(name)
		var unknown *emit.UnknownError
		if !errors.As(err, &unknown) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if got, ok := set.Default("kubernetes"); !ok || got.Name != "kubernetes" {
		t.Errorf("got %+v", got)
	}
	if got, ok := set.Default("local"); ok {
		t.Errorf("got %+v", got)
	}
	for _, o := range kinds.Builtin().Orchestrators {
		if _, ok := set.Default(o.Kind); o.Pods && !ok {
			t.Errorf("the steps of %s are pods, and nothing writes them", o.Kind)
		}
	}
}

// TestTargetOfATest writes by a row that only this test has.
func TestTargetOfATest(t *testing.T) {
	set := append(emit.Builtin(), emit.Target{Name: "mock", Orchestrators: []string{"mock"}, Write: func(ps []*program.Program, o emit.Options) ([]emit.Document, error) {
		return []emit.Document{{Name: "one", Data: fmt.Appendf(nil, "%s %v\n", ps[0].Pipeline, o.Run)}}, nil
	}})
	target, ok := set.Default("mock")
	if !ok {
		t.Fatal("there is no default")
	}
	docs, err := target.Write([]*program.Program{{Pipeline: "p"}}, emit.Options{Run: true})
	if err != nil || len(docs) != 1 || string(docs[0].Data) != "p true\n" {
		t.Errorf("got %q, %v", docs, err)
	}
}

// TestKubernetes: the documents are the objects of the definition, in order; the role of a store is written if its kind
// has it.
func TestKubernetes(t *testing.T) {
	set := kinds.Builtin()
	set.Stores = append(set.Stores, &kinds.Store{Kind: "mem", Scheme: "mem", PathDoc: "`mem://x`", Example: "mem://X", RoleAnnotation: "mem.test/identity"})
	for _, c := range []struct {
		store program.Store
		want  string // the annotation
	}{
		{program.Store{Kind: "mem", Path: "mem://x", Role: "me"}, "mem.test/identity: me\n"},
		{program.Store{Kind: "s3", Path: "s3://x", Role: "arn:role"}, "eks.amazonaws.com/role-arn: arn:role\n"},
		{program.Store{Kind: "local", Path: "x", Role: "me"}, ""},
	} {
		p := bound(t, c.store)
		target, err := emit.Builtin().Find("kubernetes")
		if err != nil {
			t.Fatal(err)
		}
		docs, err := target.Write([]*program.Program{p}, emit.Options{Run: true, Kinds: set})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		var stream bytes.Buffer
		for _, d := range docs {
			names = append(names, d.Name)
			stream.Write(d.Data)
		}
		if got := strings.Join(names, " "); !strings.HasPrefix(got, "serviceaccount-") || !strings.Contains(got, " cronjob-p.yaml job-p-") {
			t.Errorf("got %s", got)
		}
		if c.want != "" && strings.Count(stream.String(), c.want) != 2 || c.want == "" && strings.Contains(stream.String(), ": me\n") {
			t.Errorf("%s: %s", c.store.Kind, stream.String())
		}
	}
	p := bound(t, program.Store{Kind: "s3", Path: "s3://x"})
	objects, err := kubernetes.Definition(p)
	if err != nil {
		t.Fatal(err)
	}
	want, err := kubernetes.YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := emit.Builtin()[0].Write([]*program.Program{p}, emit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for _, d := range docs {
		got = append(got, d.Data...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
