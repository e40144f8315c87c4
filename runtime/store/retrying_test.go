package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pipec.dev/pipec/runtime/store"
)

// away is a store that fails on request, and else keeps one object.
type away struct {
	fail  func() error
	calls int
	kept  []byte
	nonce string
	names []string
}

func (a *away) err() error {
	a.calls++
	return a.fail()
}

func (a *away) Get(context.Context, string) (io.ReadCloser, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return &resuming{Reader: bytes.NewReader(a.kept), a: a}, nil
}

func (a *away) Put(ctx context.Context, _ string, r io.Reader, mode store.Mode) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if mode == store.IfAbsent && a.kept != nil && a.nonce != store.Nonce(ctx) {
		return store.ErrExists
	}
	a.kept, a.nonce = data, store.Nonce(ctx)
	return a.err() // after it was written: the answer is lost
}

func (a *away) Stat(context.Context, string) (store.Info, error) {
	return store.Info{Size: int64(len(a.kept))}, a.err()
}

func (a *away) List(_ context.Context, _, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range a.names {
			if name <= after {
				continue
			}
			if err := a.err(); err != nil {
				yield("", err)
				return
			}
			if !yield(name, nil) {
				return
			}
		}
	}
}

// resuming gives a byte at a time, where the store is there.
type resuming struct {
	*bytes.Reader
	a *away
}

func (*resuming) Resumable()   {}
func (*resuming) Close() error { return nil }
func (r *resuming) Read(p []byte) (int, error) {
	if err := r.a.err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p[:1])
}

var (
	errAway   = &store.Fault{Class: store.Transient, Text: "it is away"}
	errDenied = &store.Fault{Class: store.Denied, Text: "it is forbidden"}
	errNever  = &store.Fault{Text: "there is no such bucket"}
)

// until fails with err for so long.
func until(d time.Duration, err error) func() error {
	end := time.Now().Add(d)
	return func() error {
		if time.Now().Before(end) {
			return err
		}
		return nil
	}
}

func TestRetrying(t *testing.T) {
	const grace = 15 * time.Minute
	for _, c := range []struct {
		name     string
		lasts    time.Duration
		err      error
		ok       bool
		min, max time.Duration // that the call takes
	}{
		{"an outage", 10 * time.Minute, errAway, true, 10 * time.Minute, 11 * time.Minute},
		{"a long outage", time.Hour, errAway, false, grace, grace},
		{"rights that come", 40 * time.Second, errDenied, true, 40 * time.Second, time.Minute},
		{"rights that don't come", time.Hour, errDenied, false, time.Minute, time.Minute},
		{"what stays", time.Hour, errNever, false, 0, 0},
		{"what is no fault of a store", time.Hour, errors.New("the source is gone"), false, 0, 0},
		{"what is there", time.Hour, store.ErrExists, false, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &away{fail: until(c.lasts, c.err), names: []string{"a"}}
				told := 0
				s := store.Retrying(a, grace, func(err error) {
					told++
					if !errors.Is(err, c.err) {
						t.Error(err)
					}
				})
				began := time.Now()
				_, err := s.Stat(t.Context(), "k")
				took := time.Since(began)
				if (err == nil) != c.ok || err != nil && !errors.Is(err, c.err) || took < c.min || took > c.max {
					t.Errorf("%v after %s", err, took)
				}
				if want := min(1, int(c.max)); told != want {
					t.Errorf("told %d times", told)
				}
				if a.calls > 100 {
					t.Errorf("%d calls", a.calls)
				}
			})
		})
	}
}

// TestPatienceIsShared: calls that come during an outage don't wait for a grace of their own; a later outage is another.
func TestPatienceIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &away{fail: until(time.Hour, errAway)}
		told := 0
		s := store.Retrying(a, time.Minute, func(error) { told++ })
		began := time.Now()
		for range 5 {
			if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, errAway) {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != time.Minute || told != 1 {
			t.Errorf("five calls took %s, told %d times", took, told)
		}
		time.Sleep(30 * time.Minute)
		if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, errAway) || !strings.Contains(err.Error(), "after 1m0s of trying") || told != 2 {
			t.Errorf("%v, told %d times", err, told)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("cancelled")
		time.Sleep(30 * time.Minute)
		a.fail = until(time.Hour, errAway)
		go func() {
			time.Sleep(10 * time.Second)
			cancel(why)
		}()
		began = time.Now()
		if _, err := s.Stat(ctx, "k"); !errors.Is(err, why) || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// TestRetryingWrites: a write is made again whole, whatever it is read from, and knows its own object.
func TestRetryingWrites(t *testing.T) {
	text := strings.Repeat("0123456789", 200_000) // more than is kept in memory
	for name, r := range map[string]func() io.Reader{
		"string": func() io.Reader { return strings.NewReader(text) },
		"stream": func() io.Reader { return io.MultiReader(strings.NewReader(text)) },
		"hashed": func() io.Reader { return store.HashBytes([]byte(text)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &away{fail: until(time.Minute, errAway)}
			s := store.Retrying(a, time.Hour, nil)
			if err := s.Put(t.Context(), "k", r(), store.IfAbsent); err != nil || string(a.kept) != text {
				t.Errorf("%s: %d bytes, %v", name, len(a.kept), err)
			}
			if err := s.Put(t.Context(), "k", r(), store.IfAbsent); !errors.Is(err, store.ErrExists) {
				t.Errorf("%s: another's object: %v", name, err)
			}
		})
	}
}

// TestRetryingReads: a list continues after its last key, a reader at its offset.
func TestRetryingReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a := &away{kept: []byte("content"), names: []string{"a", "b", "c"}, fail: func() error {
			if calls++; calls%2 == 1 {
				return errAway
			}
			return nil
		}}
		s := store.Retrying(a, time.Hour, nil)
		if data, err := store.ReadAll(t.Context(), s, "k"); err != nil || string(data) != "content" {
			t.Errorf("%q, %v", data, err)
		}
		var got []string
		for key, err := range s.List(t.Context(), "", "") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, key)
		}
		if strings.Join(got, "") != "abc" {
			t.Errorf("%q", got)
		}
	})
}

func TestRetryingOfLocal(t *testing.T) {
	if l := open(t); store.Retrying(l, time.Hour, nil) != store.Store(l) {
		t.Error("a local store is wrapped")
	}
}

// TestPartSize: no object has more parts than S3 allows.
func TestPartSize(t *testing.T) {
	for _, size := range []int64{0, 1, 8 << 20, 80_000 << 20, 80_001 << 20, 5 << 40} {
		part := store.PartSize(size)
		if n := (size + part - 1) / part; n > 10_000 || part < 8<<20 || part%(1<<20) != 0 {
			t.Errorf("%d bytes: %d parts of %d", size, n, part)
		}
	}
}

// TestRenewGrace: after RenewGrace, an outage that continues is waited for as long as one that begins.
func TestRenewGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &away{fail: until(10*time.Hour, errAway)}
		s := store.Retrying(a, 15*time.Minute, nil)
		if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		for range 2 { // the second time, it is away for longer
			store.RenewGrace(s)
			began := time.Now()
			if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, errAway) || time.Since(began) != 15*time.Minute {
				t.Errorf("%v after %s", err, time.Since(began))
			}
			if _, err := s.Stat(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "after 15m0s of trying") {
				t.Error(err)
			}
		}
		time.Sleep(10*time.Hour - 40*time.Minute)
		store.RenewGrace(s)
		if _, err := s.Stat(t.Context(), "k"); err != nil {
			t.Error(err)
		}
	})
	store.RenewGrace(open(t)) // it does nothing to a store that is not retried
}
