package registry

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	fake "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// busy is a registry that rejects the first requests that finish something, like a registry with concurrent writers.
func busy(t *testing.T, refused int32, code string) (host string, asked *atomic.Int32) {
	t.Helper()
	good := fake.New(fake.Logger(log.New(io.Discard, "", 0)))
	asked = &atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") && asked.Add(1) <= refused {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"errors":[{"code":"`+code+`","message":"provided digest did not match uploaded content"}]}`)
			return
		}
		good.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), asked
}

func TestPushesThatCross(t *testing.T) {
	image, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		refused, asked int32
		code           string
		fails          bool
	}{
		"at once":       {0, 1, "", false},
		"one crossed":   {2, 3, "DIGEST_INVALID", false},
		"blobs unknown": {1, 2, "MANIFEST_BLOB_UNKNOWN", false},
		"for ever":      {99, pushes, "DIGEST_INVALID", true},
		"another fault": {99, 1, "NAME_INVALID", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, asked := busy(t, c.refused, c.code)
			client, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			err = client.Push(t.Context(), host+"/team/image:1", image, nil)
			if (err != nil) != c.fails || asked.Load() != c.asked {
				t.Errorf("%d asked, %v", asked.Load(), err)
			}
			if c.fails {
				return
			}
			digest, err := image.Digest()
			if err != nil {
				t.Fatal(err)
			}
			if there, err := client.Has(t.Context(), host+"/team/image", digest.String()); err != nil || !there {
				t.Errorf("it is there: %v, %v", there, err)
			}
		})
	}
}

// Many clients push the same image to the same place concurrently.
func TestPushesAtOnce(t *testing.T) {
	image, err := random.Image(1<<20, 3)
	if err != nil {
		t.Fatal(err)
	}
	host, _ := busy(t, 0, "")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			client, err := New(Options{})
			if err == nil {
				err = client.Push(t.Context(), host+"/team/image:1", image, nil)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
