package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func noise(n int64) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// TestFaultsOnTheWay: what happens between this machine and the server, each with a store that is asked once.
func TestFaultsOnTheWay(t *testing.T) {
	b := storetest.NewBucket(t)
	p := newProxy(t, b)
	s := open(t, p.store(b), b.Environ)
	part := store.PartSize(0)
	large, small := noise(2*part+part/2), []byte("small")
	is := func(r *http.Request, method, query string) bool {
		return r.Method == method && strings.Contains(r.URL.RawQuery, query)
	}
	for i, c := range []struct {
		name  string
		data  []byte
		fault fault
	}{
		{"busy", small, func(_ *http.Request, n int) http.Handler {
			if n < 3 {
				return answer(503, "SlowDown")
			}
			return nil
		}},
		{"too many", large, func(_ *http.Request, n int) http.Handler {
			if n%3 == 0 {
				return answer(429, "TooManyRequests")
			}
			return nil
		}},
		{"a bare 500", small, func(_ *http.Request, n int) http.Handler {
			if n == 1 {
				return answer(500, "")
			}
			return nil
		}},
		{"cut while it is sent", large, func(r *http.Request, n int) http.Handler {
			if r.Method == http.MethodPut && n%4 == 3 {
				return half(r)
			}
			return nil
		}},
		{"cut while it is read", large, func(r *http.Request, n int) http.Handler {
			if r.Method == http.MethodGet {
				return p.cut(3 << 20)
			}
			return nil
		}},
		{"the answer to a write is lost", small, func(r *http.Request, n int) http.Handler {
			if r.Method == http.MethodPut && n == 1 {
				return p.lost()
			}
			return nil
		}},
		{"each answer to a write is lost", small, func(r *http.Request, n int) http.Handler {
			if r.Method == http.MethodPut {
				return p.lost()
			}
			return nil
		}},
		{"the answer to the last of a large write is lost", large, func(r *http.Request, n int) http.Handler {
			if is(r, http.MethodPost, "uploadId=") {
				return p.lost()
			}
			return nil
		}},
		{"another writes there at the same time", small, func(r *http.Request, n int) http.Handler {
			if r.Method == http.MethodPut && n < 3 {
				return answer(409, "ConditionalRequestConflict")
			}
			return nil
		}},
		{"another completes there at the same time", large, func(r *http.Request, n int) http.Handler {
			if is(r, http.MethodPost, "uploadId=") && n < 7 {
				return answer(409, "ConditionalRequestConflict")
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := fmt.Sprint("k", i)
			for _, mode := range []store.Mode{store.IfAbsent, store.Replace} {
				p.spoil(c.fault)
				if err := s.Put(t.Context(), key, bytes.NewReader(c.data), mode); err != nil {
					t.Fatalf("mode %d: %v", mode, err)
				}
			}
			p.spoil(c.fault)
			data, err := store.ReadAll(t.Context(), s, key)
			if err != nil || !bytes.Equal(data, c.data) {
				t.Fatalf("%d bytes, %v", len(data), err)
			}
			p.spoil(nil)
			if err := s.Put(t.Context(), record.BlobKey(program.Digest(c.data)), bytes.NewReader(c.data), store.Replace); err != nil {
				t.Fatal(err)
			}
			p.spoil(c.fault)
			fetches(t, s, c.data)
			p.spoil(nil)
			if err := s.Put(t.Context(), key, bytes.NewReader(c.data), store.IfAbsent); !errors.Is(err, store.ErrExists) {
				t.Errorf("the same content of another writer: %v", err)
			}
		})
	}
	if left := b.Uploads(t); len(left) > 0 {
		t.Errorf("uploads are left: %v", left)
	}
}

// fetches writes content of the store to a file, and looks at it.
func fetches(t *testing.T, s store.Store, want []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out")
	err := store.Fetch(t.Context(), s, record.Artifact{Digest: program.Digest(want), Size: int64(len(want))}, file)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes in the file, %v", len(got), err)
	}
}

// TestOutage: the server is away for longer than the SDK tries; a patient store outwaits it, at every kind of call.
func TestOutage(t *testing.T) {
	b := storetest.NewBucket(t)
	p := newProxy(t, b)
	hasty := open(t, p.store(b), b.Environ)
	told := atomic.Int32{}
	patient := store.Retrying(hasty, time.Minute, func(err error) {
		told.Add(1)
		if !strings.Contains(err.Error(), "not ready") {
			t.Error(err)
		}
	})
	away := func(n int) { // for so many requests
		told.Store(0)
		p.spoil(func(_ *http.Request, i int) http.Handler {
			if i <= n {
				return answer(503, "ServiceUnavailable")
			}
			return nil
		})
	}
	away(100)
	err := hasty.Put(t.Context(), "log/1", strings.NewReader("x"), store.IfAbsent)
	if store.ClassOf(err) != store.Transient || !strings.Contains(err.Error(), "log/1") {
		t.Errorf("%v", err)
	}
	for name, call := range map[string]func(ctx context.Context) error{
		"put": func(ctx context.Context) error {
			return patient.Put(ctx, "log/1", strings.NewReader("x"), store.IfAbsent)
		},
		"stream": func(ctx context.Context) error {
			return patient.Put(ctx, "log/2", io.MultiReader(strings.NewReader("y")), store.IfAbsent)
		},
		"stat": func(ctx context.Context) error {
			if _, err := patient.Stat(ctx, "nothing"); !errors.Is(err, store.ErrNotExist) {
				return fmt.Errorf("nothing: %w", err)
			}
			return nil
		},
		"get": func(ctx context.Context) error {
			if _, err := patient.Get(ctx, "nothing"); !errors.Is(err, store.ErrNotExist) {
				return fmt.Errorf("nothing: %w", err)
			}
			return nil
		},
		"list": func(ctx context.Context) error {
			for _, err := range patient.List(ctx, "none/", "") {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			away(8)
			if err := call(t.Context()); err != nil {
				t.Error(err)
			}
			if told.Load() != 1 {
				t.Errorf("it was told %d times", told.Load())
			}
		})
	}
	// In the midst of an object.
	data := noise(2 * store.PartSize(0))
	p.spoil(nil)
	if err := patient.Put(t.Context(), "large", bytes.NewReader(data), store.Replace); err != nil {
		t.Fatal(err)
	}
	midst := func(_ *http.Request, n int) http.Handler {
		switch {
		case n == 1:
			return p.cut(1 << 20)
		case n < 14:
			return answer(503, "ServiceUnavailable")
		}
		return nil
	}
	p.spoil(midst)
	if back, err := store.ReadAll(t.Context(), patient, "large"); err != nil || !bytes.Equal(back, data) {
		t.Errorf("%d bytes, %v", len(back), err)
	}
	p.spoil(nil)
	if err := patient.Put(t.Context(), record.BlobKey(program.Digest(data)), bytes.NewReader(data), store.Replace); err != nil {
		t.Fatal(err)
	}
	p.spoil(midst)
	fetches(t, patient, data)
}

func TestCancelledUpload(t *testing.T) {
	b := storetest.NewBucket(t)
	p := newProxy(t, b)
	s := open(t, p.store(b), b.Environ)
	why := errors.New("the run was cancelled")
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"file": func(r io.Reader) io.Reader { return r }, "stream": func(r io.Reader) io.Reader { return io.MultiReader(r) },
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		p.spoil(func(r *http.Request, _ int) http.Handler {
			if strings.Contains(r.URL.RawQuery, "partNumber=2") {
				cancel(why)
			}
			return nil
		})
		err := s.Put(ctx, "large", wrap(bytes.NewReader(noise(4*store.PartSize(0)))), store.Replace)
		if !errors.Is(err, why) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Stat(t.Context(), "large"); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("%s: it is there: %v", name, err)
		}
		if left := b.Uploads(t); len(left) > 0 {
			t.Errorf("%s: uploads are left: %v", name, left)
		}
	}
}

func TestReplacedWhileRead(t *testing.T) {
	b := storetest.NewBucket(t)
	s := open(t, b.Store("r"), b.Environ)
	part := store.PartSize(0)
	put := func(data []byte) {
		if err := s.Put(t.Context(), "k", bytes.NewReader(data), store.Replace); err != nil {
			t.Fatal(err)
		}
	}
	put(noise(3 * part))
	r, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	put(make([]byte, 3*part))
	if _, err := io.Copy(io.Discard, r); err == nil || !strings.Contains(err.Error(), "replaced while it was read") || store.ClassOf(err) != store.Permanent {
		t.Errorf("%v", err)
	}
}

// TestChangedWhileSent: the server gets the digest of each part, and rejects other content.
func TestChangedWhileSent(t *testing.T) {
	b := storetest.NewBucket(t)
	s := open(t, b.Store("c"), b.Environ)
	for _, n := range []int64{10, 3 * store.PartSize(0)} {
		data := noise(n)
		h := store.HashBytes(data)
		data[n-1]++
		var corrupt *store.CorruptError
		if err := s.Put(t.Context(), "k", h, store.IfAbsent); !errors.As(err, &corrupt) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("%d bytes: it was written: %v", n, err)
		}
	}
	if left := b.Uploads(t); len(left) > 0 {
		t.Errorf("uploads are left: %v", left)
	}
}

func TestManyKeys(t *testing.T) {
	b := storetest.NewBucket(t)
	p := newProxy(t, b)
	direct, s := open(t, b.Store("p"), b.Environ), open(t, p.store(b), b.Environ)
	const n = 1100
	jobs := make(chan int)
	errs := make(chan error, 16)
	for range cap(errs) {
		go func() {
			var first error
			for i := range jobs {
				if err := direct.Put(t.Context(), fmt.Sprintf("index/p%d/%05d", i%2, i), strings.NewReader(""), store.IfAbsent); err != nil {
					first = err
				}
			}
			errs <- first
		}()
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	p.spoil(nil)
	last, got := "", 0
	for key, err := range s.List(t.Context(), "index/", "") {
		if err != nil || key <= last {
			t.Fatalf("%q after %q, %v", key, last, err)
		}
		last = key
		got++
	}
	if got != n || p.count("GET") != 2 {
		t.Errorf("%d keys by %d requests", got, p.count("GET"))
	}
	p.spoil(nil)
	if names, err := store.FoldersIn(t.Context(), s, "index/"); err != nil || fmt.Sprint(names) != "[p0 p1]" || p.count("GET") != 1 {
		t.Errorf("%v, %v, %d requests", names, err, p.count("GET"))
	}
}
