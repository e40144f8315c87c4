package registry_test

import (
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	distribution "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"pipec.dev/pipec/runtime/aws/awstest"
	"pipec.dev/pipec/runtime/image/registry"
)

// ecrHost serves the registry of a fake of AWS: a repository that doesn't exist answers as in ECR.
type ecrHost struct {
	cloud    *awstest.Server
	registry http.Handler
}

func (h *ecrHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	repository, _, found := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/blobs/")
	if !found {
		repository, _, found = strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
	}
	h.cloud.Lock()
	_, exists := h.cloud.Repositories[repository]
	h.cloud.Unlock()
	if found && !exists {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors": [{"code": "NAME_UNKNOWN", "message": "The repository with name '`+repository+`' does not exist"}]}`)
	} else {
		h.registry.ServeHTTP(w, r)
	}
}

// redirected sends all requests to a server on this machine.
type redirected struct{ host string }

func (r redirected) RoundTrip(req *http.Request) (*http.Response, error) {
	there := req.Clone(req.Context())
	there.URL.Scheme, there.URL.Host = "http", r.host
	out, err := http.DefaultTransport.RoundTrip(there)
	if err == nil {
		out.Request = req
	}
	return out, err
}

type anonymous struct{}

func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// TestPushCreates: a push creates the repository in ECR that it needs, once, and only if the client may.
func TestPushCreates(t *testing.T) {
	cloud := &awstest.Server{}
	api := httptest.NewServer(cloud)
	defer api.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": api.URL, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": "/nonexistent",
		"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	host := httptest.NewServer(&ecrHost{cloud, distribution.New(distribution.Logger(log.New(io.Discard, "", 0)))})
	defer host.Close()
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	const ref = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/pipec-digits/train:1"
	push := func(create *registry.NewRepository) error {
		c, err := registry.New(registry.Options{Keychain: anonymous{}, Transport: redirected{strings.TrimPrefix(host.URL, "http://")}, Create: create})
		if err != nil {
			t.Fatal(err)
		}
		return c.Push(t.Context(), ref, image, nil)
	}
	var fault *registry.Fault
	if err := push(nil); !errors.As(err, &fault) || fault.Reason != registry.NoRepository || len(cloud.Repositories) != 0 {
		t.Fatal(err)
	}
	create := &registry.NewRepository{Tags: map[string]string{"team": "ml"}, Lifecycle: `{"rules": []}`}
	cloud.Deny = map[string]bool{"CreateRepository": true}
	if err := push(create); !errors.As(err, &fault) || !strings.Contains(err.Error(), "ecr:CreateRepository") {
		t.Fatal(err)
	}
	cloud.Deny, cloud.Calls = nil, nil
	for range 2 {
		if err := push(create); err != nil {
			t.Fatal(err)
		}
	}
	if got := slices.Collect(maps.Keys(cloud.Repositories)); !slices.Equal(got, []string{"pipec-digits/train"}) {
		t.Errorf("repositories: %v", got)
	}
	if want := []string{"CreateRepository", "PutLifecyclePolicy"}; !slices.Equal(cloud.Calls, want) {
		t.Errorf("calls: %v, expected %v", cloud.Calls, want)
	}
	if settings := cloud.Created["pipec-digits/train"]; !settings.Scan || settings.Tags["team"] != "ml" || settings.Lifecycle != `{"rules": []}` {
		t.Errorf("%+v", settings)
	}
}
