package registry_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	distribution "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"pipec.dev/pipec/runtime/image/registry"
)

// tokens plays ECR: it makes tokens, and a registry accepts each of them for some requests only.
type tokens struct {
	next    http.Handler
	lasts   int       // how many requests a token is accepted for; 0: the registry is closed to all
	expires time.Time // that the API states

	mu            sync.Mutex
	made          int
	used          map[string]int // requests, by token
	rejected      int
	blobs         map[string]bool // uploaded
	uploadedTwice bool
}

func (e *tokens) api(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetAuthorizationToken") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.made++
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	fmt.Fprintf(w, `{"authorizationData": [{"authorizationToken": %q, "expiresAt": %d}]}`, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "AWS:token-%d", e.made)), e.expires.Unix())
}

func (e *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, password, ok := r.BasicAuth()
	e.mu.Lock()
	e.used[password]++
	good := ok && e.used[password] <= e.lasts
	if ok && !good {
		e.rejected++
	}
	if digest := r.URL.Query().Get("digest"); good && r.Method == http.MethodPut && digest != "" {
		e.uploadedTwice = e.uploadedTwice || e.blobs[digest]
		e.blobs[digest] = true
	}
	e.mu.Unlock()
	if !good {
		w.Header().Set("Www-Authenticate", `Basic realm="https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/",service="ecr.amazonaws.com"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors": [{"code": "DENIED", "message": "Your authorization token has expired. Reauthenticate and try again."}]}`)
		return
	}
	e.next.ServeHTTP(w, r)
}

// TestPushRenews pushes an image whose upload outlasts a token: before the time that the API has stated, and after it.
func TestPushRenews(t *testing.T) {
	image, err := random.Image(64, 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		lasts    int
		expires  time.Duration
		fails    bool
		rejected bool
	}{
		{"rejected in the middle", 20, time.Hour, false, true},
		{"expired by the clock", 1000, -time.Hour, false, false},
		{"rejected always", 0, time.Hour, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &tokens{next: distribution.New(distribution.Logger(log.New(io.Discard, "", 0))), lasts: c.lasts, expires: time.Now().Add(c.expires), used: map[string]int{}, blobs: map[string]bool{}}
			api, host := httptest.NewServer(http.HandlerFunc(e.api)), httptest.NewServer(e)
			defer api.Close()
			defer host.Close()
			for name, value := range map[string]string{
				"AWS_ENDPOINT_URL": api.URL, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": "/nonexistent",
				"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
			} {
				t.Setenv(name, value)
			}
			client, err := registry.New(registry.Options{Transport: redirected{strings.TrimPrefix(host.URL, "http://")}})
			if err != nil {
				t.Fatal(err)
			}
			err = client.Push(t.Context(), "123456789012.dkr.ecr.eu-central-1.amazonaws.com/digits/train:1", image, nil)
			if c.fails != (err != nil) {
				t.Fatalf("error: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "token-") {
				t.Errorf("the error has the token: %v", err)
			}
			if e.made < 2 || c.rejected != (e.rejected > 0) {
				t.Errorf("%d tokens were made, and %d requests rejected", e.made, e.rejected)
			}
			if e.uploadedTwice {
				t.Error("a layer was uploaded twice")
			}
		})
	}
}
