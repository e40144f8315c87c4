//go:build linux

package step_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// bucket is a store in memory that can't be reached at times.
type bucket struct {
	mu   sync.Mutex
	away func() error // nil: the store can be reached
	kept map[string][]byte
	slow time.Duration // how long a Put takes
}

var errAway = &store.Fault{Class: store.Transient, Text: "connection refused"}

func (b *bucket) err() error {
	if b.away == nil {
		return nil
	}
	return b.away()
}

func (b *bucket) Get(_ context.Context, key string) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.err(); err != nil {
		return nil, err
	}
	data, ok := b.kept[key]
	if !ok {
		return nil, store.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (b *bucket) Put(_ context.Context, key string, r io.Reader, mode store.Mode) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	<-time.After(b.slow)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.err(); err != nil {
		return err
	}
	if _, ok := b.kept[key]; ok && mode == store.IfAbsent {
		return store.ErrExists
	}
	b.kept[key] = data
	return nil
}

func (b *bucket) Stat(_ context.Context, key string) (store.Info, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.kept[key]
	if !ok {
		return store.Info{}, store.ErrNotExist
	}
	return store.Info{Size: int64(len(data))}, b.err()
}

func (b *bucket) List(context.Context, string, string) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

// between makes the store unreachable for a part of the time, counted from now.
func (b *bucket) between(from, to time.Duration, err error) {
	start := time.Now()
	b.away = func() error {
		if at := time.Since(start); at >= from && at < to {
			return err
		}
		return nil
	}
}

const outageGrace = 15 * time.Minute

// training is an attempt whose process is simulated, with a store that can't be reached at times.
func training(t *testing.T, process func(ctx context.Context, out io.Writer) step.Exit) (*bucket, *step.Spec, step.Deps) {
	b := &bucket{kept: map[string][]byte{}}
	spec := &step.Spec{
		Version: 1, Run: "run-1", Pipeline: "p", Step: "s", Attempt: 1, UserAttempt: 1, Segments: true,
		Program: program.Step{Name: "s", Command: command("train"), Grace: program.Duration(10 * time.Second)},
		Root:    filepath.Join(t.TempDir(), "work"), Dir: t.TempDir(), AttemptDir: "attempts/ns/p/run-1/s/1",
	}
	return b, spec, step.Deps{
		Store: store.Retrying(b, outageGrace, nil), Environ: []string{"PATH=/bin:/usr/bin"},
		Simulate: func(ctx context.Context, c step.Command) step.Exit { return process(ctx, c.Out) },
	}
}

// logged returns the stored log.
func logged(t *testing.T, b *bucket, r *record.Result) string {
	t.Helper()
	var text strings.Builder
	for i := range r.Log.Segments {
		data, ok := b.kept[step.LogKey("attempts/ns/p/run-1/s/1", i)]
		if !ok {
			t.Fatalf("segment %d of %d is missing", i, r.Log.Segments)
		}
		text.Write(data)
	}
	if int64(text.Len()) != r.Log.Bytes {
		t.Errorf("%d bytes, and the result says %d", text.Len(), r.Log.Bytes)
	}
	return text.String()
}

// prints returns a process that prints a line every so often.
func prints(lines int, every time.Duration, width int) func(context.Context, io.Writer) step.Exit {
	return func(ctx context.Context, out io.Writer) step.Exit {
		for i := range lines {
			fmt.Fprintf(out, "line %d %s\n", i, strings.Repeat(".", width))
			select {
			case <-time.After(every):
			case <-ctx.Done():
				return step.Exit{Code: 143}
			}
		}
		return step.Exit{}
	}
}

// numbers returns the numbers of the lines of a log.
func numbers(log string) (out []int) {
	for line := range strings.Lines(log) {
		if rest, ok := strings.CutPrefix(line, "line "); ok {
			number, _, _ := strings.Cut(rest, " ")
			n, _ := strconv.Atoi(number)
			out = append(out, n)
		}
	}
	return out
}

// TestOutageDuringProcess: an outage of any length that is over before the end of the process costs nothing: no time, no part of
// the log, and no success.
func TestOutageDuringProcess(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		from, to time.Duration
	}{
		{"no outage", errAway, 0, 0},
		{"a short outage", errAway, time.Hour, time.Hour + 5*time.Minute},
		{"ten hours", errAway, time.Hour, 11 * time.Hour},
		{"until just before the end", errAway, time.Hour, 12*time.Hour - time.Second},
		{"no rights for ten hours", &store.Fault{Class: store.Denied, Text: "forbidden"}, time.Hour, 11 * time.Hour},
		{"an error that does not pass, which passes", &store.Fault{Text: "no such bucket"}, time.Hour, 11 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const lines = 12 * 60 * 6
				b, spec, deps := training(t, prints(lines, 10*time.Second, 1000))
				spec.Program.Timeout = program.Duration(12*time.Hour + time.Second)
				b.between(c.from, c.to, c.err)
				start := time.Now()
				r, err := step.Run(t.Context(), spec, deps)
				if err != nil || r.Status != record.Succeeded {
					t.Fatalf("%v: %s %s: %s", err, r.Status, r.Reason, r.Message)
				}
				if took := time.Since(start); took > 12*time.Hour+time.Minute {
					t.Errorf("it took %s", took)
				}
				got := numbers(logged(t, b, &r))
				if len(got) != lines || !slices.IsSorted(got) {
					t.Errorf("%d lines", len(got))
				}
			})
		})
	}
}

// TestLongLogInOutage: a process that prints more than can be kept is not held up. The log has its beginning and its end, and a
// note in between.
func TestLongLogInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lines = 800 // of 100 kB
		b, spec, deps := training(t, prints(lines, time.Second, 100_000))
		spec.Program.Timeout = program.Duration(lines*time.Second + time.Second)
		b.between(5*time.Second, lines*time.Second-10*time.Second, errAway) // a step that has not started waits for the store
		r, err := step.Run(t.Context(), spec, deps)
		if err != nil || r.Status != record.Succeeded {
			t.Fatalf("%v: %s %s: %s", err, r.Status, r.Reason, r.Message)
		}
		log := logged(t, b, &r)
		got := numbers(log)
		if got[0] != 0 || got[len(got)-1] != lines-1 || !slices.IsSorted(got) || len(got) == lines || len(got) < 600 {
			t.Errorf("%d lines, from %d to %d", len(got), got[0], got[len(got)-1])
		}
		if n := strings.Count(log, "bytes of the log are missing here"); n != 1 {
			t.Errorf("%d notes", n)
		}
	})
}

// TestSlowStore: a store that works, but takes less than the process prints, holds the process up rather than losing lines.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lines = 300 // of 100 kB
		b, spec, deps := training(t, prints(lines, time.Millisecond, 100_000))
		b.slow = time.Second
		r, err := step.Run(t.Context(), spec, deps)
		if err != nil || r.Status != record.Succeeded {
			t.Fatalf("%v: %s %s: %s", err, r.Status, r.Reason, r.Message)
		}
		if got := numbers(logged(t, b, &r)); len(got) != lines {
			t.Errorf("%d lines", len(got))
		}
	})
}

// TestOutageAtEnd: the grace begins at the end of the process, whenever the outage began. If it is not enough, the failure is
// one of the infrastructure.
func TestOutageAtEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		to   time.Duration // the process ends after an hour
		ok   bool
		took time.Duration
	}{
		{"it ends within the grace", time.Hour + 14*time.Minute, true, time.Hour + 14*time.Minute},
		{"it is longer than the grace", 20 * time.Hour, false, time.Hour + outageGrace},
	} {
		for _, lines := range []int{0, 360} {
			t.Run(fmt.Sprintf("%s, %d lines", c.name, lines), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, spec, deps := training(t, func(ctx context.Context, out io.Writer) step.Exit {
						start := time.Now()
						prints(lines, 10*time.Second, 10)(ctx, out)
						time.Sleep(time.Hour - time.Since(start))
						return step.Exit{}
					})
					b.between(time.Minute, c.to, errAway)
					start := time.Now()
					r, err := step.Run(t.Context(), spec, deps)
					took := time.Since(start)
					if took < c.took || took > c.took+30*time.Second {
						t.Errorf("it took %s, expected %s", took, c.took)
					}
					if c.ok {
						if err != nil || r.Status != record.Succeeded {
							t.Errorf("%v: %+v", err, r)
						} else if got := numbers(logged(t, b, &r)); len(got) != lines {
							t.Errorf("%d lines", len(got))
						}
						return
					}
					if err == nil || r.Status != record.Failed || r.Class != record.ClassInfrastructure || r.Reason != record.ReasonStore ||
						!strings.Contains(r.Message, "could not be stored: after 15m0s of trying: connection refused") {
						t.Errorf("%v: %s %s %s: %s", err, r.Status, r.Class, r.Reason, r.Message)
					}
					if told, ok := step.ParseTermination(string(step.NewTermination(&r, false, "").Encode())); !ok || told.Class != record.ClassInfrastructure || told.Reason != record.ReasonStore {
						t.Errorf("%+v", told)
					}
				})
			})
		}
	}
}

// TestShutdownInOutage: a wrapper that is asked to end while the store can't be reached ends soon enough to report why.
func TestShutdownInOutage(t *testing.T) {
	for name, at := range map[string]time.Duration{"during the process": 30 * time.Minute, "after its end": time.Hour + 5*time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, spec, deps := training(t, prints(360, 10*time.Second, 10))
				b.between(time.Minute, 20*time.Hour, errAway)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(at, func() { cancel(step.ErrShutdown) })
				start := time.Now()
				r, err := step.Run(ctx, spec, deps)
				if took := time.Since(start) - at; took > 30*time.Second {
					t.Errorf("it took %s", took)
				}
				if err == nil || r.Status != record.Failed || r.Class != record.ClassInfrastructure {
					t.Errorf("%v: %s %s %s: %s", err, r.Status, r.Class, r.Reason, r.Message)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // the store comes back in time
		b, spec, deps := training(t, prints(360, 10*time.Second, 10))
		b.between(time.Minute, 30*time.Minute+5*time.Second, errAway) // the waits between tries are random
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(30*time.Minute, func() { cancel(step.ErrShutdown) })
		r, err := step.Run(ctx, spec, deps)
		if err != nil || r.Reason != record.ReasonShutdown || len(numbers(logged(t, b, &r))) < 179 {
			t.Errorf("%v: %+v", err, r)
		}
	})
}

// TestSecretsInOutage: what is spooled is masked before.
func TestSecretsInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, spec, deps := training(t, func(_ context.Context, out io.Writer) step.Exit {
			for i := range 60 {
				fmt.Fprintf(out, "line %d hunter2secret %s\n", i, strings.Repeat(".", 100_000))
				time.Sleep(time.Minute)
			}
			return step.Exit{}
		})
		spec.Program.SecretEnv = []program.Secret{{Name: "TOKEN", Secret: "s", Key: "k"}}
		deps.Secrets = map[string]string{"TOKEN": "hunter2secret"}
		b.between(time.Minute, 50*time.Minute, errAway)
		r, err := step.Run(t.Context(), spec, deps)
		if err != nil {
			t.Fatal(err)
		}
		if log := logged(t, b, &r); len(numbers(log)) != 60 || strings.Contains(log, "hunter2") || strings.Count(log, "***") != 60 {
			t.Errorf("%d lines", len(numbers(log)))
		}
	})
}
