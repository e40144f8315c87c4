package runs_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// TestNamespaces writes runs of two namespaces and of a machine with the same pipelines, names and times to one store.
func TestNamespaces(t *testing.T) {
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	namespaces := []string{"ml", "ml-2", runs.Namespace}
	for _, namespace := range namespaces {
		for i, pipeline := range []string{"p", "q", "only-" + namespace} {
			run := &record.Run{
				Version: record.Version, Namespace: namespace, Pipeline: pipeline, Name: fmt.Sprint("r", i), CreatedAt: time.Unix(int64(i), 0).UTC(),
			}
			end := &record.End{Version: record.Version, Status: record.Succeeded, At: run.CreatedAt, Message: namespace, Steps: []record.StepEnd{}}
			for key, v := range map[string]any{run.RunKey(): run, run.EndKey(): end, run.IndexKey(): &record.Indexed{Version: record.Version}} {
				if err := store.WriteJSON(t.Context(), s, key, v, store.IfAbsent); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, namespace := range namespaces {
		r := runs.NewReader(s, work.Dir{}, namespace)
		var got []string
		for s, err := range r.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, s.Run.Namespace+" "+s.Run.Pipeline+" "+s.Run.Name+" "+s.Message)
		}
		want := []string{
			namespace + " only-" + namespace + " r2 " + namespace, namespace + " q r1 " + namespace, namespace + " p r0 " + namespace,
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", namespace, got, want)
		}
		if got, err := r.Pipelines(t.Context()); err != nil || len(got) != 3 || got[0] != "only-"+namespace {
			t.Errorf("%s: %q, %v", namespace, got, err)
		}
		for _, name := range []string{"r", "r0", "latest"} {
			if run, err := r.Resolve(t.Context(), "p", name); err != nil || run.Namespace != namespace || run.Name != "r0" {
				t.Errorf("%s: %s is %+v, %v", namespace, name, run, err)
			}
		}
	}
}
