package remote

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// TestTailStream: the pod is asked for its last lines once. What it doesn't send is not read from the store.
func TestTailStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		n := &node{lines: []string{"three\n", "four\n"}, times: []time.Time{at, at.Add(time.Second)}, reads: []reading{{upTo: 1, cut: -1}, {upTo: 2, cut: -1, clean: true}}}
		m := &memory{objects: map[string][]byte{}}
		m.put(dir, "one\ntwo\nthree\nfour\n")
		a := newAttemptLog(fakeCluster(t, n), m, dir, "pod", false)
		two := int64(2)
		a.tail = &two
		var got []string
		a.emit = func(l lines.Line) error {
			got = append(got, l.At.Format(time.TimeOnly)+" "+string(l.Text))
			return nil
		}
		a.failed = func(err error, _ bool) { t.Error(err) }
		a.show.set()
		done := make(chan struct{})
		go func() { a.run(t.Context()); close(done) }()
		time.Sleep(time.Minute)
		a.close(&record.Result{Log: record.Log{Segments: 1, Bytes: int64(len("one\ntwo\nthree\nfour\n"))}})
		<-done
		if want := []string{"03:04:05 three", "03:04:06 four"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		if !strings.Contains(n.queries[0], "tailLines=2") || len(n.queries) < 2 || strings.Contains(strings.Join(n.queries[1:], " "), "tailLines") {
			t.Errorf("the queries are %q", n.queries)
		}
	})
}

// TestTailStored: without a pod, the last lines of the stored log are shown, with the times of the result.
func TestTailStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for _, tail := range []int64{0, 2, 9} {
			m := &memory{objects: map[string][]byte{}}
			m.put(dir, "one\ntw", "o\nthree\n")
			a := newAttemptLog(fakeCluster(t, &node{}), m, dir, "", false)
			a.tail = &tail
			var got []string
			a.emit = func(l lines.Line) error {
				got = append(got, l.At.Format(time.TimeOnly)+" "+string(l.Text))
				return nil
			}
			a.failed = func(err error, _ bool) { t.Error(err) }
			a.show.set()
			a.close(&record.Result{Log: record.Log{Segments: 2, Bytes: 14, Times: record.LogTimes{{At: at}, {Offset: 8, At: at.Add(time.Second)}}.String()}})
			a.run(t.Context())
			want := []string{"03:04:05 one", "03:04:05 two", "03:04:06 three"}
			if want = want[max(0, 3-int(tail)):]; !slices.Equal(got, want) {
				t.Errorf("the last %d: %q", tail, got)
			}
		}
	})
}

// TestSince: lines that are known to be older are left out, and several steps are selected.
func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		f.opts.Late = true
		f.opts.Select = runs.LogOptions{Steps: []string{"a", "b"}, Since: time.Now().Add(-time.Hour), Times: true}
		f.stores("a", 1, "yes\n")
		f.stores("b", 1, "too\n")
		f.stores("c", 1, "no\n")
		f.records(succeeded("a", "b", "c"))
		f.job(batchv1.JobComplete, "")
		f.start(t.Context())
		<-f.done
		got := strings.Split(f.observed(), "\n")
		if !slices.Contains(got, "log a 1: yes") || !slices.Contains(got, "log b 1: too") || slices.Contains(got, "log c 1: no") {
			t.Errorf("got %q", got)
		}
	})
}
