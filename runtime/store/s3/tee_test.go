package s3_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/program"
)

// pattern is content of any size.
type pattern struct{}

func (pattern) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		at := off + int64(i)
		p[i] = byte(at>>20) ^ byte(at)
	}
	return len(p), nil
}

// server serves one object of parts parts, and a little more. before is called before the n-th request of a range (from 1) is
// answered, and may answer it.
func server(t *testing.T, parts int, before func(w http.ResponseWriter, r *http.Request, n int) (answered bool)) (*s3.Store, int64) {
	t.Helper()
	size := int64(parts)*store.PartSize(0) + 12345
	var mu sync.Mutex
	seen := map[string]int{}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Header.Get("Range")]++
		n := seen[r.Header.Get("Range")]
		mu.Unlock()
		w.Header().Set("ETag", `"one"`)
		if !before(w, r, n) {
			http.ServeContent(w, r, "", time.Unix(1, 0), io.NewSectionReader(pattern{}, 0, size))
		}
	}))
	t.Cleanup(api.Close)
	s, err := s3.Open(t.Context(), program.Store{Kind: "s3", Path: "s3://b", Endpoint: api.URL, PathStyle: true, Region: "us-east-1"}, s3.Options{
		Environ: func(name string) (string, bool) { return "x", strings.HasPrefix(name, "AWS_") }, MaxBackoff: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, size
}

// fetched is an object that is being read into a file.
type fetched struct {
	t    *testing.T
	size int64
	r    io.ReadCloser
	f    *os.File
	hash interface {
		io.Writer
		Sum([]byte) []byte
	}
}

func fetch(t *testing.T, s *s3.Store, size int64) *fetched {
	t.Helper()
	r, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.Close()
		_ = f.Close()
	})
	r.(store.TeeReader).Tee(f)
	return &fetched{t, size, r, f, sha256.New()}
}

func (f *fetched) more() (int64, error) { return f.r.(io.WriterTo).WriteTo(f.hash) }

// check checks that what was passed on and what is in the file are the object.
func (f *fetched) check() {
	f.t.Helper()
	want, got := sha256.New(), sha256.New()
	_, _ = io.Copy(want, io.NewSectionReader(pattern{}, 0, f.size))
	n, err := io.Copy(got, io.NewSectionReader(f.f, 0, f.size+1))
	if n != f.size || err != nil || string(got.Sum(nil)) != string(want.Sum(nil)) || string(f.hash.Sum(nil)) != string(want.Sum(nil)) {
		f.t.Errorf("the file or what was passed on is not the object: %d bytes, %v", n, err)
	}
}

// TestSlowPart: the first part of an object arrives after all others.
func TestSlowPart(t *testing.T) {
	const parts = 11
	var mu sync.Mutex
	asked := 0
	all := make(chan struct{})
	s, size := server(t, parts, func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if strings.HasPrefix(r.Header.Get("Range"), "bytes=0-") {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		if asked++; asked == parts {
			close(all)
		}
		return false
	})
	f := fetch(t, s, size)
	slow := &slowFile{File: f.f, until: all}
	f.r.(store.TeeReader).Tee(slow)
	if n, err := f.more(); n != size || err != nil {
		t.Fatalf("%d of %d bytes, %v", n, size, err)
	}
	f.check()
}

// slowFile doesn't write its beginning until a channel is closed.
type slowFile struct {
	*os.File
	until chan struct{}
}

func (f *slowFile) WriteAt(p []byte, off int64) (int, error) {
	if off == 0 {
		<-f.until
	}
	return f.File.WriteAt(p, off)
}

// TestCutParts: the connection of each part is cut in the middle, once.
func TestCutParts(t *testing.T) {
	s, size := server(t, 3, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 1 {
			return false
		}
		defer func() { panic(http.ErrAbortHandler) }()
		http.ServeContent(&cutting{ResponseWriter: w, left: 5000}, r, "", time.Unix(1, 0), io.NewSectionReader(pattern{}, 0, 3*store.PartSize(0)+12345))
		return true
	})
	f := fetch(t, s, size)
	if n, err := f.more(); n != size || err != nil {
		t.Fatalf("%d of %d bytes, %v", n, size, err)
	}
	f.check()
}

// TestFailedPart: the server fails for one part until the reader has given up, and then the reader continues.
func TestFailedPart(t *testing.T) {
	var mu sync.Mutex
	broken := true
	s, size := server(t, 4, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		mu.Lock()
		defer mu.Unlock()
		if !broken || !strings.HasPrefix(r.Header.Get("Range"), "bytes=16777216-") {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	f := fetch(t, s, size)
	first, err := f.more()
	if store.ClassOf(err) != store.Transient || first > 2*store.PartSize(0) {
		t.Fatalf("%d bytes, %v", first, err)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if n, err := f.more(); first+n != size || err != nil {
		t.Fatalf("%d and %d of %d bytes, %v", first, n, size, err)
	}
	f.check()
}

// TestFileFails: an error of the file is returned as it is.
func TestFileFails(t *testing.T) {
	s, size := server(t, 2, func(http.ResponseWriter, *http.Request, int) bool { return false })
	f := fetch(t, s, size)
	_ = f.f.Close()
	if _, err := f.more(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v", err)
	}
}
