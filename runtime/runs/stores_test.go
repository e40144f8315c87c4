package runs_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestStores: reading runs gives the same result for every kind of store.
func TestStores(t *testing.T) {
	for name, place := range map[string]func(t *testing.T) program.Store{
		"local": func(*testing.T) program.Store { return program.Store{Kind: "local", Path: ".pipec/store"} },
		"s3": func(t *testing.T) program.Store {
			b := storetest.NewBucket(t)
			t.Setenv("AWS_ACCESS_KEY_ID", b.AccessKey)
			t.Setenv("AWS_SECRET_ACCESS_KEY", b.SecretKey)
			return b.Store("a/b")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			stack := stack()
			stack.ArtifactStore = place(t)
			readRuns(t, dir, stack)
		})
	}
}

func readRuns(t *testing.T, dir string, stack *program.Stack) {
	ctx := t.Context()
	flaky := sh("flaky", `echo "try $PIPEC_ATTEMPT"; printf 'no end'; echo 7 >$PIPEC_OUTPUT_n; test $PIPEC_ATTEMPT = 2`, program.Output{Name: "n", Type: "number"})
	flaky.Retry.Attempts = 2
	chatty := sh("chatty", `seq 100000; mkdir $PIPEC_OUTPUT_d; echo x >$PIPEC_OUTPUT_d/f`, program.Output{Name: "d", Type: "directory"})
	one, two := options(dir, "one", flaky, chatty), options(dir, "two", sh("bad", "exit 3"))
	one.Stack, two.Stack = stack, stack
	var names []string
	for i := range 20 { // more than are requested concurrently
		o := two
		if i%5 == 0 {
			o = one
		}
		names = append(names, run(t, o, fmt.Sprint("r", i)).Name)
	}
	slices.Reverse(names)
	r := reader(t, dir, stack)
	defer r.Close()
	s := r.Store()
	var got []string
	for s, err := range r.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]record.Status{"one": record.Succeeded, "two": record.Failed}[s.Run.Pipeline]; s.Status != want || s.EndedAt.IsZero() {
			t.Errorf("%s: %+v", s.Run.Name, s)
		}
		got = append(got, s.Run.Name)
	}
	if !slices.Equal(got, names) {
		t.Errorf("%q", got)
	}
	for range r.List(ctx, "one") {
		break // iteration can stop early
	}
	if p, err := r.Pipelines(ctx); err != nil || !slices.Equal(p, []string{"one", "two"}) {
		t.Errorf("%q, %v", p, err)
	}
	latest, err := r.Resolve(ctx, "one", "latest")
	if err != nil || latest.Name != "r15" {
		t.Fatalf("%+v, %v", latest, err)
	}
	all := lines(t, r, latest, runs.LogOptions{})
	if len(all) != 100_004 {
		t.Errorf("%d lines", len(all))
	}
	if got := lines(t, r, latest, runs.LogOptions{Steps: []string{"flaky"}}); !slices.Equal(got, []string{"flaky/1 | try 1", "flaky/1 | no end", "flaky/2 | try 2", "flaky/2 | no end"}) {
		t.Errorf("%q", got)
	}
	if got := lines(t, r, latest, runs.LogOptions{Steps: []string{"flaky"}, Attempt: 1}); len(got) != 2 {
		t.Errorf("%q", got)
	}
	for step, want := range map[string]string{"flaky": "[try 2 no end]", "chatty": "[99998 99999 100000]"} {
		attempt := map[string]int{"flaky": 2, "chatty": 1}[step]
		if got, err := r.LastLines(ctx, latest, step, attempt, 3); err != nil || fmt.Sprint(got) != want {
			t.Errorf("the last of %s: %q, %v", step, got, err)
		}
	}
	items, err := r.Artifacts(ctx, latest)
	if err != nil || len(items) != 2 {
		t.Fatalf("%+v, %v", items, err)
	}
	d, err := runs.Find(items, "chatty/d")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Get(ctx, d, filepath.Join(dir, "got"), false); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "got", "f")); err != nil || string(data) != "x\n" {
		t.Errorf("%q, %v", data, err)
	}
	w, err := work.In(dir)
	if err != nil {
		t.Fatal(err)
	}
	inCluster(t, s, runs.NewReader(s, w, "ml"), latest, d.Datum)
	if got, err := r.Resolve(ctx, "", "latest"); err != nil || got.Name != names[0] {
		t.Errorf("the run in the cluster is listed on this machine: %+v, %v", got, err)
	}
}

// inCluster returns a run in a namespace without an end, with a log and a newer result.
func inCluster(t *testing.T, s store.Store, r *runs.Reader, like *record.Run, output record.Datum) {
	ctx := t.Context()
	run := *like
	run.Namespace, run.Name, run.CreatedAt = "ml", "in-cluster", time.Now().UTC()
	put := func(key string, v any) {
		if err := store.WriteJSON(ctx, s, key, v, store.IfAbsent); err != nil {
			t.Fatal(err)
		}
	}
	put(run.RunKey(), &run)
	put(run.IndexKey(), record.Indexed{Version: record.Version})
	for seq, e := range []record.Event{
		{Type: record.RunStarted, At: run.CreatedAt}, {Type: record.AttemptStarted, At: run.CreatedAt, Step: "chatty", Attempt: 1},
	} {
		line, err := store.EncodeJSON(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(ctx, run.LogKey(int64(seq)), bytes.NewReader(line), store.IfAbsent); err != nil {
			t.Fatal(err)
		}
	}
	put(run.AttemptDir("chatty", 1)+"/result.json", record.Result{Version: record.Version, Step: "chatty", Attempt: 1, Status: record.Succeeded, EndedAt: run.CreatedAt, Outputs: []record.Datum{output},
		Log: record.Log{Segments: 2, Bytes: 18, Times: record.LogTimes{{At: run.CreatedAt.Add(-2 * time.Minute)}, {Offset: 13, At: run.CreatedAt}}.String()}})
	for i, text := range []string{"first\nsec", "ond\nthird"} {
		if err := s.Put(ctx, fmt.Sprintf("%s/log/%06d", run.AttemptDir("chatty", 1), i), strings.NewReader(text), store.Replace); err != nil {
			t.Fatal(err)
		}
	}
	found, err := r.Resolve(ctx, "", "in-cl")
	if err != nil || found.Namespace != "ml" {
		t.Fatalf("%+v, %v", found, err)
	}
	detail, err := r.Show(ctx, found)
	if err != nil || detail.Status != record.Running || detail.End != nil {
		t.Fatalf("%+v, %v", detail, err)
	}
	i := slices.IndexFunc(detail.Steps, func(s record.StepEnd) bool { return s.Name == "chatty" })
	if detail.Steps[i].Status != record.Succeeded {
		t.Errorf("%+v", detail.Steps)
	}
	if got := lines(t, r, found, runs.LogOptions{}); !slices.Equal(got, []string{"chatty/1 | first", "chatty/1 | second", "chatty/1 | third"}) {
		t.Errorf("%q", got)
	}
	every := []string{"chatty/1 | first", "chatty/1 | second", "chatty/1 | third"}
	for n := range 5 {
		if got := lines(t, r, found, runs.LogOptions{Tailed: true, Tail: n}); !slices.Equal(got, every[max(0, 3-n):]) {
			t.Errorf("the last %d: %q", n, got)
		}
	}
	for ago, want := range map[time.Duration]int{time.Hour: 3, time.Minute: 1, -time.Hour: 0} {
		if got := lines(t, r, found, runs.LogOptions{Since: run.CreatedAt.Add(-ago)}); !slices.Equal(got, every[3-want:]) {
			t.Errorf("since %s ago: %q", ago, got)
		}
	}
	var times []time.Duration
	err = r.Logs(ctx, found, runs.LogOptions{Steps: []string{"chatty"}, Times: true, Tailed: true, Tail: 2}, func(e record.Event) error {
		times = append(times, e.At.Sub(run.CreatedAt).Round(time.Second))
		return nil
	})
	if err != nil || !slices.Equal(times, []time.Duration{-2 * time.Minute, 0}) {
		t.Errorf("the times are %v, %v", times, err)
	}
	if got, err := r.LastLines(ctx, found, "chatty", 1, 2); err != nil || !slices.Equal(got, []string{"second", "third"}) {
		t.Errorf("%q, %v", got, err)
	}
	for s, err := range r.List(ctx, "") {
		if err != nil || s.Run.Name != "in-cluster" || s.Status != record.Running {
			t.Errorf("%+v, %v", s, err)
		}
		break
	}
}
