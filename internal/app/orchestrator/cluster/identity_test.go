package cluster

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/program"
)

// TestStepsKeys: the store is opened with the keys of the Secret, and never with those of this machine.
func TestStepsKeys(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "machine")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "machine")
	for name, c := range map[string]struct {
		keys map[string]string
		want string // in the finding
		user string // of the requests to the store; "": there are none
	}{
		"keys":       {map[string]string{"AWS_ACCESS_KEY_ID": "steps", "AWS_SECRET_ACCESS_KEY": "s"}, "can't write to blobs/", "steps"},
		"empty":      {nil, `the Secret "keys" of the steps contains no credentials`, ""},
		"blank":      {map[string]string{"AWS_ACCESS_KEY_ID": " \n"}, `the Secret "keys" of the steps contains no credentials`, ""},
		"others":     {map[string]string{"access-key": "steps"}, `the Secret "keys" of the steps contains no credentials`, ""},
		"incomplete": {map[string]string{"AWS_ACCESS_KEY_ID": "steps"}, "AWS_SECRET_ACCESS_KEY is not", ""},
	} {
		t.Run(name, func(t *testing.T) {
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				secret := corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: "keys"}, Data: map[string][]byte{}}
				for key, value := range c.keys {
					secret.Data[key] = []byte(value)
				}
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(secret)
			}))
			defer api.Close()
			users := make(chan string, 100)
			bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, user, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
				user, _, _ = strings.Cut(user, "/")
				users <- user
				w.WriteHeader(http.StatusForbidden)
			}))
			s := &orchestrator.Stack{Project: project.New(t.TempDir(), project.Options{}), Stack: &program.Stack{ArtifactStore: program.Store{
				Kind: "s3", Path: "s3://bucket", Endpoint: bucket.URL, Region: "r", PathStyle: true, Secret: "own", StepsSecret: "keys",
			}}}
			found := checkSteps(t.Context(), s, &connect.Connection{Config: &rest.Config{Host: api.URL}, Namespace: "ml", Host: api.URL})
			bucket.Close()
			close(users)
			if len(found) != 1 || found[0].OK || !strings.Contains(found[0].Text, c.want) {
				t.Errorf("%+v, want %q", found, c.want)
			}
			requests := 0
			for user := range users {
				if requests++; user != c.user {
					t.Errorf("a request to the store by %q", user)
				}
			}
			if (requests > 0) != (c.user != "") {
				t.Errorf("%d requests to the store", requests)
			}
		})
	}
}

// TestStepsSecretUnread: a user who may not read the Secret can still run pipelines, but without the Secret no step starts.
func TestStepsSecretUnread(t *testing.T) {
	secrets := schema.GroupResource{Resource: "secrets"}
	for name, c := range map[string]struct {
		answer *apierrors.StatusError
		ok     bool
	}{
		"forbidden": {apierrors.NewForbidden(secrets, "keys", errors.New(`User "eva" cannot get resource "secrets" in API group "" in the namespace "ml"`)), true},
		"missing":   {apierrors.NewNotFound(secrets, "keys"), false},
	} {
		t.Run(name, func(t *testing.T) {
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				status := c.answer.Status()
				status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(int(status.Code))
				_ = json.NewEncoder(w).Encode(status)
			}))
			defer api.Close()
			s := &orchestrator.Stack{Project: project.New(t.TempDir(), project.Options{}), Stack: &program.Stack{ArtifactStore: program.Store{
				Kind: "s3", Path: "s3://bucket", StepsSecret: "keys",
			}}}
			found := checkSteps(t.Context(), s, &connect.Connection{Config: &rest.Config{Host: api.URL}, Namespace: "ml", Host: api.URL})
			if len(found) != 1 || found[0].OK != c.ok || !strings.Contains(found[0].Text, `the Secret "keys" can't be read`) {
				t.Errorf("%+v, want OK %t", found, c.ok)
			}
		})
	}
}
