package cache

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func TestPackageChanges(t *testing.T) {
	was := []string{"0/numpy-1.5.1.dist-info", "0/old-1.0.egg-info", "0/same-2.0.dist-info", "1/site.pth sha256:0123456789"}
	is := []string{"0/numpy-1.5.2.dist-info", "0/new-3.1.dist-info", "0/same-2.0.dist-info", "1/site.pth sha256:9876543210"}
	want := []string{"package new 3.1 (added)", "package numpy 1.5.1 → 1.5.2", "package old 1.0 (removed)", "package site.pth 0123456 → 9876543"}
	if got := packageChanges(was, is); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	var many []string
	for i := range 100 {
		many = append(many, "0/p"+strings.Repeat("x", i)+"-1.dist-info")
	}
	if got := packageChanges(nil, many); len(got) != maxPackages+1 || got[maxPackages] != "other packages" {
		t.Errorf("%d changes, the last %q", len(got), got[len(got)-1])
	}
	packageChanges([]string{"", "x", "0/", "0/-", "0/.pth", "0/a.pth "}, []string{"/"}) // must not panic
}

// run records a run that looked the step a up with some parts of a key.
func run(t *testing.T, s store.Store, namespace, name string, at time.Time, status record.Status, parts map[string]string) *record.Run {
	t.Helper()
	r := &record.Run{Version: 1, Name: name, Pipeline: "p", Namespace: namespace, CreatedAt: at}
	end := &record.End{Version: 1, Status: status, At: at, Steps: []record.StepEnd{{Name: "a", Status: status}}}
	if parts != nil {
		end.Steps[0].Cache = &record.CacheCheck{Parts: parts}
	}
	for key, v := range map[string]any{r.IndexKey(): record.Indexed{Version: 1}, r.RunKey(): r, r.EndKey(): end} {
		if err := store.WriteJSON(t.Context(), s, key, v, store.IfAbsent); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestExplain(t *testing.T) {
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	old := &step.Key{Digest: "sha256:1", Packages: []string{"0/x-1.5.1.dist-info"}}
	digest := program.Digest(step.PackageList(old.Packages))
	old.Parts = map[string]string{"code": "a", "input y": "b", step.PartInterpreter: "3.11.2 abc", step.PartPackages: digest}
	current := &record.Run{Version: 1, Name: "now", Pipeline: "p", Namespace: "n", CreatedAt: at.Add(time.Hour)}
	explain := func(key *step.Key, found Key, hit bool) *record.CacheCheck {
		return NewEarlier(s, current).Explain(t.Context(), "a", key, found, hit)
	}
	if got := explain(old, Key{}, false).Miss(); got != "no earlier run of this pipeline has a result of the step" {
		t.Errorf("at first: %q", got)
	}
	run(t, s, "n", "before", at, record.Succeeded, old.Parts)
	run(t, s, "elsewhere", "other", at.Add(time.Minute), record.Succeeded, map[string]string{"code": "zzz"})
	run(t, s, "n", "kept", at.Add(2*time.Minute), record.Succeeded, nil)

	changed := &step.Key{Digest: "sha256:2", Packages: []string{"0/x-1.5.2.dist-info"}, Parts: map[string]string{
		"code": "a", "input y": "c", step.PartInterpreter: "3.12.0 abd", step.PartPackages: "sha256:" + strings.Repeat("1", 64),
	}}
	got := explain(changed, Key{}, false)
	if want := []string{"input y", "interpreter 3.11.2 → 3.12.0", "package x 1.5.1 → 1.5.2"}; !slices.Equal(got.Changed, want) || got.Run != "before" {
		t.Errorf("%q since %s", got.Changed, got.Run)
	}
	if want := "input y, interpreter 3.11.2 → 3.12.0 and package x 1.5.1 → 1.5.2 changed since run before"; got.Miss() != want {
		t.Errorf("%q", got.Miss())
	}
	if got := explain(old, Key{}, false).Miss(); !strings.Contains(got, "run before, which has the same cache key") {
		t.Errorf("with the same key: %q", got)
	}
	if got := explain(old, Key{miss: "too old"}, false).Miss(); got != "too old" {
		t.Errorf("%q", got)
	}
	if got := explain(old, Key{}, true); got.Miss() != "" || len(got.Parts) != 4 {
		t.Errorf("a hit: %+v", got)
	}
	if got := explain(&step.Key{Why: "it has no outputs"}, Key{}, false); got.Miss() != "it has no outputs" || got.Parts != nil {
		t.Errorf("without a key: %+v", got)
	}
	run(t, s, "n", "failed", at.Add(3*time.Minute), record.Failed, old.Parts)
	if got := explain(old, Key{}, false).Miss(); got != "no result is stored: in run failed, which has the same cache key, the step is failed" {
		t.Errorf("after a failure: %q", got)
	}
}
