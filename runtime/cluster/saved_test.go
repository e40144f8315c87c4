package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/kube"
)

func example() (Saved, Options, *Changes) {
	u := unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "a", "labels": map[string]any{kube.LabelManagedBy: kube.Manager}},
		"data":     map[string]any{"n": "1"},
	}}
	o := Options{Cluster: &connect.Connection{Context: "admin", Host: "https://one:6443", Namespace: "ml"}, Project: "p", Prune: true, Objects: []unstructured.Unstructured{u}}
	plan := &Changes{List: []Change{
		{Action: Update, Kind: "ConfigMap", Name: "a", Live: &Live{UID: "1", Digest: "sha256:1"}, Fields: []Field{{Path: "data.n"}}},
		{Action: Delete, Kind: "ConfigMap", Name: "b", Live: &Live{UID: "2"}},
		{Action: Keep, Kind: "ConfigMap", Name: "c", Live: &Live{UID: "3"}, Why: "run-1"},
		{Action: Create, Kind: "CronJob", Name: "d"},
	}}
	return Saved{Pipec: "v1", Stack: "k8s", Pipelines: []string{"a"}}, o, plan
}

func TestSaved(t *testing.T) {
	s, o, plan := example()
	path := filepath.Join(t.TempDir(), "plan")
	if err := Save(path, s, o, plan); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	got, err := LoadSaved(path)
	if err != nil {
		t.Fatal(err)
	}
	back, err := got.Options(path, "v1", "k8s", Options{Cluster: o.Cluster})
	if err != nil || back.Project != "p" || !back.Prune || len(back.Objects) != 1 || len(got.Changes) != 4 || got.Changes[0].Fields != nil {
		t.Errorf("%+v %+v %v", got, back, err)
	}
	for _, c := range []struct {
		pipec, stack string
		cluster      connect.Connection
		want         string
	}{
		{"v2", "k8s", *o.Cluster, `pipec "v1", but this is "v2"`},
		{"v1", "other", *o.Cluster, `stack "k8s", but this is "other"`},
		{"v1", "k8s", connect.Connection{Context: "b", Host: "https://one:6443", Namespace: "ml"}, `context "admin", but this is "b"`},
		{"v1", "k8s", connect.Connection{Context: "admin", Host: "https://two:6443", Namespace: "ml"}, `API server "https://one:6443"`},
		{"v1", "k8s", connect.Connection{Context: "admin", Host: "https://one:6443", Namespace: "x"}, `namespace "ml", but this is "x"`},
	} {
		var fault *PlanFileError
		if _, err := got.Options(path, c.pipec, c.stack, Options{Cluster: &c.cluster}); !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestLoadSavedRefuses(t *testing.T) {
	s, o, plan := example()
	dir := t.TempDir()
	path := filepath.Join(dir, "plan")
	if err := Save(path, s, o, plan); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"is not a plan":             "hello",
		"has been changed since it": strings.Replace(string(good), `"n": "1"`, `"n": "2"`, 1),
		"has version 9":             strings.Replace(string(good), `"version": 1`, `"version": 9`, 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var fault *PlanFileError
		if _, err := LoadSaved(path); !errors.As(err, &fault) || !strings.Contains(err.Error(), path+" "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LoadSaved(dir); err == nil {
		t.Error("a directory is a plan")
	}
	if _, err := LoadSaved(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := Save(filepath.Join(dir, "no", "plan"), s, o, plan); err == nil {
		t.Error("a plan is kept in a directory that isn't there")
	}
}

func TestFresh(t *testing.T) {
	for _, c := range []struct {
		name string
		move func(*Changes)
		want string // "": the plan is still valid
	}{
		{"nothing moved", func(*Changes) {}, ""},
		{"a field changed", func(n *Changes) { n.List[0].Live.Digest = "sha256:2" }, `ConfigMap "a" was changed`},
		{"made anew", func(n *Changes) { n.List[0].Live.UID = "9" }, `ConfigMap "a" was recreated`},
		{"gone", func(n *Changes) { n.List[0].Live = nil }, `ConfigMap "a" was deleted`},
		{"appeared", func(n *Changes) { n.List[3].Live = &Live{UID: "9"} }, `CronJob "d" was created`},
		{"another to prune", func(n *Changes) {
			n.List = append(n.List, Change{Action: Delete, Kind: "ConfigMap", Name: "e", Live: &Live{UID: "9"}})
		}, `ConfigMap "e" was created`},
		{"one less to prune", func(n *Changes) { n.List = append(n.List[:1], n.List[2:]...) }, `ConfigMap "b" was deleted`},
		{"treated otherwise", func(n *Changes) { n.List[0].Action = Replace }, `ConfigMap "a" would be handled differently`},
		{"a run has ended", func(n *Changes) { n.List[2].Action = Delete }, ""},
		{"a run has begun", func(n *Changes) { n.List[1].Action = Keep }, ""},
		{"the namespace has gone", func(n *Changes) { n.List = append(n.List, Change{Action: Create, Kind: "Namespace", Name: "ml"}) }, `Namespace "ml" was deleted`},
	} {
		s, _, plan := example()
		s.Changes = plan.List
		_, _, now := example()
		c.move(now)
		err := s.fresh(now)
		var stale *StaleError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &stale) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.name == "a run has ended" && now.List[2].Action != Keep {
			t.Errorf("%s: what was to stay is now to %s", c.name, now.List[2].Action)
		}
	}
}

func FuzzSaved(f *testing.F) {
	f.Add([]byte(`{"version": 1, "objects": [{"kind": "ConfigMap"}], "changes": [{"action": "delete"}], "digest": "sha256:"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSaved(data)
		if err != nil {
			return
		}
		o, err := s.Options("x", s.Pipec, s.Stack, Options{Cluster: &connect.Connection{Context: s.Context, Host: s.Host, Namespace: s.Namespace}})
		if err == nil && check(o) == nil {
			if _, err := Offline(o); err != nil {
				t.Error(err)
			}
		}
	})
}
