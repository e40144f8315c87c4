package index_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/image/index"
)

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func client(t *testing.T, edit ...func(*index.Options)) *index.Client {
	t.Helper()
	o := index.Options{Dir: t.TempDir(), Cache: t.TempDir(), Pause: time.Nanosecond}
	for _, e := range edit {
		e(&o)
	}
	c, err := index.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

const content = "0123456789abcdefghijklmnopqrstuvwxyz"

func TestFetch(t *testing.T) {
	for name, c := range map[string]struct {
		handler  func(n int32, w http.ResponseWriter, r *http.Request)
		requests int32
		fault    string
	}{
		"plain": {func(_ int32, w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(content)) }, 1, ""},
		"broken twice": {func(n int32, w http.ResponseWriter, r *http.Request) {
			if n <= 2 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = w.Write([]byte(content))
		}, 3, ""},
		"always broken": {func(_ int32, w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 4, "the server failed: 503"},
		"missing":       {func(_ int32, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, 1, "does not exist (404)"},
		"denied":        {func(_ int32, w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }, 1, "the netrc file needs a login for 127.0.0.1"},
		"resumed": {func(n int32, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				_, _ = w.Write([]byte(content[:10]))
				return // the connection is cut
			}
			if r.Header.Get("Range") != "bytes=10-" {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			http.ServeContent(w, r, "x", time.Time{}, strings.NewReader(content))
		}, 2, ""},
		"resumed from the start": {func(n int32, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			if n == 1 {
				_, _ = w.Write([]byte(content[:10]))
				return
			}
			_, _ = w.Write([]byte(content))
		}, 2, ""},
		"other content": {func(_ int32, w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(strings.ToUpper(content)))
		}, 1, "has the SHA-256 digest"},
		"too long": {func(_ int32, w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(content + content)) }, 1, "is longer than the 36 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			address := serve(t, func(w http.ResponseWriter, r *http.Request) { c.handler(n.Add(1), w, r) })
			file := index.File{URL: address + "/a.whl?token=hidden", SHA256: sum(content), Size: int64(len(content))}
			cl := client(t)
			got, _, err := cl.Fetch(t.Context(), file, nil)
			if n.Load() != c.requests {
				t.Errorf("%d requests", n.Load())
			}
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "hidden") {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(got)
			if err != nil || string(data) != content {
				t.Errorf("%s, %v", data, err)
			}
			if _, _, err := cl.Fetch(t.Context(), file, nil); err != nil || n.Load() != c.requests {
				t.Errorf("the second time: %d requests, %v", n.Load(), err)
			}
		})
	}
}

func TestLocalFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.whl"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	cl := client(t, func(o *index.Options) { o.Dir = dir })
	for _, address := range []string{"a.whl", "file://" + dir + "/a.whl"} {
		if _, got, err := cl.Fetch(t.Context(), index.File{URL: address}, nil); err != nil || got != sum(content) {
			t.Errorf("%s, %v", got, err)
		}
	}
	links, err := cl.Page(t.Context(), ".")
	if err != nil || len(links) != 1 || links[0].Filename != "a.whl" || links[0].URL != "./a.whl" {
		t.Errorf("%+v, %v", links, err)
	}
}

func TestCredentials(t *testing.T) {
	var other atomic.Value
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) {
		other.Store(r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(content))
	})
	elsewhere = strings.Replace(elsewhere, "127.0.0.1", "localhost", 1)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "pa#ss" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, elsewhere+"/a.whl", http.StatusFound)
	})
	netrc := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(netrc, []byte("# comment\nmachine example.com login x password y\nmachine 127.0.0.1\n  login me\n  password pa#ss\nmacdef init\nmachine 127.0.0.1 login no\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cl := client(t, func(o *index.Options) { o.Netrc = netrc })
	if _, _, err := cl.Fetch(t.Context(), index.File{URL: address + "/a.whl", SHA256: sum(content)}, nil); err != nil {
		t.Fatal(err)
	}
	if other.Load() != "" {
		t.Error("the credentials were sent to another host")
	}
	err := index.CheckAddress("https://me:secret@example.com/simple")
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "me@") || !strings.Contains(err.Error(), "netrc") {
		t.Error(err)
	}
}

func TestProject(t *testing.T) {
	pages := map[string]string{
		"/html/my-pkg/": `<!DOCTYPE html><a href="../../files/my_pkg-1.0-py3-none-any.whl#sha256=` + sum("a") + `" data-requires-python="&gt;=3.8">x</a><br><a href="my-pkg-1.0.tar.gz" data-yanked="bad">`,
		"/json/my-pkg/": `{"files": [{"filename": "my_pkg-1.0-py3-none-any.whl", "url": "/files/my_pkg-1.0-py3-none-any.whl", "hashes": {"sha256": "` + sum("a") + `"}, "requires-python": ">=3.8", "size": 7, "yanked": false}, {"filename": "my-pkg-1.0.tar.gz", "url": "my-pkg-1.0.tar.gz", "hashes": {}, "yanked": "bad"}]}`,
		"/bad/my-pkg/":  `{`,
	}
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if page[0] == '{' {
			w.Header().Set("Content-Type", "application/vnd.pypi.simple.v1+json")
		}
		_, _ = w.Write([]byte(page))
	})
	cl := client(t)
	for _, kind := range []string{"html", "json"} {
		links, err := cl.Project(t.Context(), address+"/"+kind, "My_Pkg")
		if err != nil || len(links) != 2 {
			t.Fatalf("%s: %+v, %v", kind, links, err)
		}
		w := links[0]
		if w.Filename != "my_pkg-1.0-py3-none-any.whl" || w.URL != address+"/files/my_pkg-1.0-py3-none-any.whl" || w.SHA256 != sum("a") || w.RequiresPython != ">=3.8" || w.Yanked {
			t.Errorf("%s: %+v", kind, w)
		}
		if s := links[1]; s.Filename != "my-pkg-1.0.tar.gz" || s.URL != address+"/"+kind+"/my-pkg/my-pkg-1.0.tar.gz" || !s.Yanked {
			t.Errorf("%s: %+v", kind, s)
		}
	}
	if links, err := cl.Project(t.Context(), address+"/none", "x"); err != nil || len(links) > 0 {
		t.Errorf("%v, %v", links, err)
	}
	if _, err := cl.Project(t.Context(), address+"/bad", "my-pkg"); err == nil || !strings.Contains(err.Error(), "not a page of an index") {
		t.Error(err)
	}
}
