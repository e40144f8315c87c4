package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"
	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// node is a node that keeps a pod's log, and an unreliable API server that reads the log from it.
type node struct {
	mu      sync.Mutex
	times   []time.Time
	lines   []string // with their ends
	reads   []reading
	from    int // of the last read
	refuse  int // status of an answer without a log; 0: the log
	queries []string
}

// reading describes the content of one connection.
type reading struct {
	from  int   // the first line that the node still has
	upTo  int   // lines that are written by then
	cut   int   // bytes after which the connection ends; -1: none
	clean bool  // it ends as at the end of the log
	lost  []int // lines that the node drops on the way
}

func (n *node) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer := func(status int, body io.Reader) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(body), Request: r}, nil
	}
	if n.refuse != 0 {
		return answer(n.refuse, strings.NewReader(`no`))
	}
	n.queries = append(n.queries, r.URL.RawQuery)
	now := reading{from: n.from, upTo: len(n.lines), cut: -1, clean: true}
	if len(n.reads) > 0 {
		now, n.reads = n.reads[0], n.reads[1:]
	}
	n.from = now.from
	since := time.Time{}
	if text := r.URL.Query().Get("sinceTime"); text != "" {
		since, _ = time.Parse(time.RFC3339, text)
	}
	var out bytes.Buffer
	for i := now.from; i < min(now.upTo, len(n.lines)); i++ {
		if !n.times[i].Before(since) && !slices.Contains(now.lost, i) {
			fmt.Fprintf(&out, "%s %s", n.times[i].Format(time.RFC3339Nano), n.lines[i])
		}
	}
	data := out.Bytes()
	if now.cut >= 0 && now.cut < len(data) {
		data = data[:now.cut]
	}
	if now.clean {
		return answer(200, bytes.NewReader(data))
	}
	return answer(200, io.MultiReader(bytes.NewReader(data), broken{}))
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func fakeCluster(t interface{ Fatal(...any) }, rt http.RoundTripper) *Client {
	c, err := New(&rest.Config{Host: "http://cluster", Transport: rt}, "ml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// memory is a store in memory.
type memory struct {
	store.Store
	mu      sync.Mutex
	objects map[string][]byte
	fail    error
}

func (m *memory) Get(_ context.Context, key string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	data, ok := m.objects[key]
	if !ok {
		return nil, store.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m *memory) put(dir string, segments ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, s := range segments {
		m.objects[step.LogKey(dir, i)] = []byte(s)
	}
}

const dir = "attempts/ml/p/r/s/1"

// expected returns the lines of a log as they are shown.
func expected(text string) []string {
	var out []string
	s := lines.Splitter{Emit: func(l lines.Line) error { out = append(out, string(l.Text)); return nil }}
	_, _ = s.Write([]byte(text))
	_ = s.Flush()
	return out
}

// pieces splits a text at offsets.
func pieces(text string, cuts []int) []string {
	slices.Sort(cuts)
	var out []string
	at := 0
	for _, c := range cuts {
		out = append(out, text[at:c])
		at = c
	}
	return append(out, text[at:])
}

// TestEachLineOnce: each line of a log is shown once, whenever connections are cut, the node rotates files or loses lines.
// The lines are in order, unless lines are lost unnoticed.
func TestEachLineOnce(t *testing.T) {
	mark := strings.TrimSuffix(lines.Mark, "\n")
	word := rapid.SampledFrom([]string{"", "a", "b", "tick", "x\r", "ünï", strings.Repeat("long ", 14_000), strings.Repeat("y", lines.Max),
		"\r10%", "a\rb", "\r10%" + mark, "\r20%" + mark, "30%\r" + mark, mark})
	rapid.Check(t, func(rt *rapid.T) {
		n := &node{}
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		count := rapid.IntRange(0, 12).Draw(rt, "lines")
		for i := range count {
			n.lines = append(n.lines, word.Draw(rt, "line")+"\n")
			if i == count-1 && rapid.Bool().Draw(rt, "unended") {
				n.lines[i] = strings.TrimSuffix(strings.TrimSuffix(n.lines[i], "\n"), mark)
			}
			n.times = append(n.times, at)
			at = at.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Nanosecond, 300 * time.Millisecond, 2 * time.Second}).Draw(rt, "pause"))
		}
		text := strings.ReplaceAll(strings.Join(n.lines, ""), lines.Mark, "")
		from, upTo, silent, seen := 0, 0, false, false
		for range rapid.IntRange(0, 5).Draw(rt, "connections") {
			from = rapid.IntRange(from, count).Draw(rt, "rotated")
			upTo = rapid.IntRange(max(upTo, from), count).Draw(rt, "written")
			read := reading{from: from, upTo: upTo, cut: -1, clean: rapid.Bool().Draw(rt, "clean")}
			if rapid.Bool().Draw(rt, "cut") {
				read.cut = rapid.IntRange(0, len(text)+60*count).Draw(rt, "at")
			}
			if upTo > from && rapid.IntRange(0, 4).Draw(rt, "lossy") == 0 {
				read.lost = []int{rapid.IntRange(from, upTo-1).Draw(rt, "lost")}
				silent = true
			}
			silent = silent || from > 0 && !seen // nothing shows that there was more
			seen = seen || read.cut < 0 && upTo > from && upTo < count
			n.reads = append(n.reads, read)
		}
		stored := pieces(text, rapid.SliceOfN(rapid.IntRange(0, len(text)), 0, 3).Draw(rt, "segments"))
		late := rapid.Bool().Draw(rt, "late")
		early := rapid.IntRange(0, len(stored)).Draw(rt, "stored early")
		known := rapid.Bool().Draw(rt, "result")
		after := time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "ends after")) * time.Millisecond
		pod := rapid.SampledFrom([]string{"pod", "pod", "pod", ""}).Draw(rt, "pod")
		var got []string
		var failed error
		synctest.Test(t, func(t *testing.T) {
			m := &memory{objects: map[string][]byte{}}
			m.put(dir, stored[:early]...)
			a := newAttemptLog(fakeCluster(t, n), m, dir, pod, late)
			a.emit = func(l lines.Line) error {
				if l.Part != record.PartState {
					got = append(got, string(l.Text))
				}
				return nil
			}
			a.failed = func(err error, _ bool) { failed = errors.Join(failed, err) }
			done := make(chan struct{})
			go func() { a.run(t.Context()); close(done) }()
			a.show.set()
			time.Sleep(after)
			m.put(dir, stored...)
			var result *record.Result
			if known {
				result = &record.Result{Log: record.Log{Segments: len(stored), Bytes: int64(len(text))}}
			}
			a.close(result)
			<-done
		})
		if failed != nil {
			rt.Fatal(failed)
		}
		want := expected(text)
		if !silent && !slices.Equal(got, want) {
			rt.Fatalf("got %q, want %q", clipped(got), clipped(want))
		}
		slices.Sort(got)
		slices.Sort(want)
		if silent && strings.Contains(strings.Join(n.lines, ""), lines.Mark) { // a part of a line may be shown too
			got = slices.DeleteFunc(got, func(text string) bool { return !slices.Contains(want, text) })
			got, want = slices.Compact(got), slices.Compact(want)
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("got, sorted, %q, want %q", clipped(got), clipped(want))
		}
	})
}

func clipped(lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l[:min(len(l), 12)])
	}
	return out
}

// TestStates: the states of a line that is overwritten are shown while the line is open, at most once a second, and not
// again after another connection.
func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		n := &node{}
		for i, l := range []string{"\r10%" + lines.Mark, "\r20%" + lines.Mark, "\r30%" + lines.Mark, "\r40%\n", "done\n"} {
			n.lines, n.times = append(n.lines, l), append(n.times, start.Add(time.Duration(i)*time.Second))
		}
		n.reads = []reading{{upTo: 2, cut: -1, clean: true}, {upTo: 2, cut: -1, clean: true}, {upTo: 3, cut: -1}, {upTo: 5, cut: -1, clean: true}}
		a := newAttemptLog(fakeCluster(t, n), &memory{objects: map[string][]byte{}}, dir, "pod", false)
		var got []string
		a.emit = func(l lines.Line) error { got = append(got, string(l.Text)+string(l.Part)); return nil }
		a.failed = func(err error, _ bool) { t.Error(err) }
		a.show.set()
		done := make(chan struct{})
		go func() { a.run(t.Context()); close(done) }()
		time.Sleep(time.Minute)
		a.close(&record.Result{Log: record.Log{Segments: 1, Bytes: int64(len("\r10%\r20%\r30%\r40%\ndone\n"))}})
		<-done
		if want := []string{"20%state", "40%", "done"}; !slices.Equal(got, want) {
			t.Errorf("got %q, not %q", got, want)
		}
	})
}

// TestNoReadOfTheStore: a log that was streamed completely is not read from the store.
func TestNoReadOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		n := &node{lines: []string{"one\n", "two\n"}, times: []time.Time{at, at}}
		a := newAttemptLog(fakeCluster(t, n), &memory{fail: errors.New("it is read")}, dir, "pod", false)
		var got []string
		a.emit = func(l lines.Line) error { got = append(got, string(l.Text)); return nil }
		a.failed = func(err error, _ bool) { t.Error(err) }
		a.show.set()
		done := make(chan struct{})
		go func() { a.run(t.Context()); close(done) }()
		synctest.Wait()
		a.close(&record.Result{Log: record.Log{Segments: 1, Bytes: 8}})
		<-done
		if !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestForbiddenLog: a user who may not read the logs of pods is notified, and receives lines when they are stored.
func TestForbiddenLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{objects: map[string][]byte{}}
		a := newAttemptLog(fakeCluster(t, &node{refuse: 403}), m, dir, "pod", false)
		var got []string
		var failures []error
		a.emit = func(l lines.Line) error { got = append(got, string(l.Text)); return nil }
		a.failed = func(err error, _ bool) { failures = append(failures, err) }
		a.show.set()
		done := make(chan struct{})
		go func() { a.run(t.Context()); close(done) }()
		time.Sleep(time.Second)
		m.put(dir, "one\ntw")
		time.Sleep(storeEvery)
		synctest.Wait()
		if !slices.Equal(got, []string{"one"}) || len(failures) != 1 {
			t.Errorf("got %q, %v", got, failures)
		}
		m.put(dir, "one\ntw", "o\nthree")
		a.close(nil)
		<-done
		if !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestLongLog: a log that is longer than a file of the node is read from the store before the node rotates the file.
func TestLongLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, at := &node{}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for i := range 200_000 {
			n.lines = append(n.lines, fmt.Sprintf("line %d of many that are all similar\n", i))
			n.times = append(n.times, at.Add(time.Duration(i)*time.Millisecond))
		}
		n.reads = []reading{{upTo: len(n.lines), cut: -1, lost: []int{150_000}, clean: true}} // far behind the limit
		text := strings.Join(n.lines, "")
		m := &memory{objects: map[string][]byte{}}
		m.put(dir, text)
		a := newAttemptLog(fakeCluster(t, n), m, dir, "pod", false)
		var got []string
		a.emit = func(l lines.Line) error { got = append(got, string(l.Text)); return nil }
		a.failed = func(err error, _ bool) { t.Error(err) }
		a.show.set()
		done := make(chan struct{})
		go func() { a.run(t.Context()); close(done) }()
		synctest.Wait()
		a.close(&record.Result{Log: record.Log{Segments: 1, Bytes: int64(len(text))}})
		<-done
		if !slices.Equal(got, expected(text)) {
			t.Errorf("got %d lines", len(got))
		}
	})
}

// TestUnreadable: if the end of a log can't be read, that is reported.
func TestUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("no key")
		a := newAttemptLog(fakeCluster(t, &node{}), &memory{fail: bad}, dir, "", false)
		a.emit = func(lines.Line) error { return nil }
		unread := false
		a.failed = func(err error, last bool) { unread = errors.Is(err, bad) && last }
		a.show.set()
		a.close(nil)
		a.run(t.Context())
		if !unread {
			t.Error("the error is not reported")
		}
	})
}
