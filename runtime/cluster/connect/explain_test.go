package connect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/cluster/connect"
)

var pods = schema.GroupResource{Resource: "pods"}

func TestExplainStatus(t *testing.T) {
	cronjobs := schema.GroupResource{Group: "batch", Resource: "cronjobs"}
	for _, c := range []struct {
		name   string
		err    error
		reason connect.Reason
		want   []string
	}{
		{"no right", apierrors.NewForbidden(cronjobs, "digits", errors.New(`User "jane" cannot patch resource "cronjobs" in API group "batch" in the namespace "ml"`)), connect.Forbidden,
			[]string{`"jane" may not patch cronjobs.batch "digits" in namespace "ml"`, "kubectl auth can-i patch cronjobs.batch -n ml"}},
		{"no right to a part", apierrors.NewForbidden(pods, "p", errors.New(`User "jane" cannot get resource "pods/log" in API group "" in the namespace "ml"`)), connect.Forbidden, []string{`"jane" may not get pods/log in namespace "ml"`}},
		{"no right in the cluster", apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "ml", errors.New(`User "jane" cannot create resource "namespaces" in API group "" at the cluster scope`)), connect.Forbidden, []string{`"jane" may not create namespaces "ml" of the cluster`, "ClusterRole"}},
		{"quota", apierrors.NewForbidden(cronjobs, "digits", errors.New("exceeded quota: small, requested: count/cronjobs.batch=1, used: count/cronjobs.batch=3, limited: count/cronjobs.batch=3")), connect.Quota,
			[]string{`cronjobs.batch "digits" needs count/cronjobs.batch=1, but quota "small" is exhausted: used count/cronjobs.batch=3 of count/cronjobs.batch=3`}},
		{"escalation", apierrors.NewForbidden(schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "roles"}, "r", errors.New("user \"jane\" (groups=[\"a\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"create\"]}")), connect.Forbidden,
			[]string{`roles.rbac.authorization.k8s.io "r" would grant permissions that you don't have: {APIGroups:[""], Resources:["pods"], Verbs:["create"]}`}},
		{"Pod Security", apierrors.NewForbidden(pods, "p", errors.New(`violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true)`)), connect.Denied,
			[]string{`pods "p" violates the namespace's Pod Security level "restricted:latest": runAsNonRoot != true`}},
		{"a namespace that goes", apierrors.NewForbidden(pods, "p", errors.New("unable to create new content in namespace ml because it is being terminated")), connect.Terminating, []string{`namespace "ml" is being deleted`}},
		{"forbidden otherwise", apierrors.NewForbidden(pods, "p", errors.New("for its own reasons")), connect.Forbidden, []string{"for its own reasons"}},
		{"token", apierrors.NewUnauthorized("Unauthorized"), connect.Unauthorized, []string{"does not accept the credentials", "expired"}},
		{"no namespace", apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "ml"), connect.NoNamespace, []string{`there is no namespace "ml"`, "create_namespace = true"}},
		{"not there", apierrors.NewNotFound(pods, "p"), connect.Gone, []string{`pods "p" not found`}},
		{"conflict", apierrors.NewConflict(pods, "p", errors.New("the object has been modified")), connect.Conflict, []string{"modified"}},
		{"already there", apierrors.NewAlreadyExists(pods, "p"), connect.Conflict, []string{"already exists"}},
		{"faulty", apierrors.NewBadRequest("strict decoding error: unknown field \"spec.x\""), connect.Invalid, []string{"spec.x"}},
		{"too many", apierrors.NewTooManyRequests("busy", 1), connect.Busy, []string{"retry later"}},
		{"server", apierrors.NewInternalError(errors.New("etcd")), connect.Busy, []string{"etcd"}},
		{"a webhook", &apierrors.StatusError{ErrStatus: metav1.Status{Status: "Failure", Code: 403, Reason: "Forbidden", Message: `admission webhook "policy.example.com" denied the request: no label team`}}, connect.Denied, []string{`"policy.example.com" denied the request: no label team`}},
		{"a policy", &apierrors.StatusError{ErrStatus: metav1.Status{Status: "Failure", Code: 422, Reason: "Invalid", Message: `pods "p" is forbidden: ValidatingAdmissionPolicy 'a' with binding 'b' denied request: no label team`}}, connect.Denied, []string{"'a' with binding 'b'"}},
		{"a webhook that is down", apierrors.NewInternalError(errors.New(`failed calling webhook "policy.example.com": no endpoints`)), connect.Denied, []string{`webhook "policy.example.com" does not respond: no endpoints`}},
		{"a teapot", &apierrors.StatusError{ErrStatus: metav1.Status{Status: "Failure", Code: 418, Message: "short and stout"}}, "", []string{"short and stout"}},
	} {
		err := connect.Explain(fmt.Errorf("wrapped: %w", c.err))
		var e *connect.Error
		if errors.As(err, &e) != (c.reason != "") || e != nil && e.Reason != c.reason {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in:\n%v", c.name, want, err)
			}
		}
		if again := connect.Explain(err); again != err {
			t.Errorf("%s: explained twice: %v", c.name, again)
		}
	}
	for _, err := range []error{nil, context.Canceled, errors.New("something else")} {
		if got := connect.Explain(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// silent accepts connections and never responds.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "https://" + l.Addr().String()
}

func closed(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "https://" + l.Addr().String()
}

func TestExplainNetwork(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			c.Close()
		}
	}))
	defer broken.Close()
	for _, c := range []struct{ name, host, want string }{
		{"refused", closed(t), "connection refused"},
		{"no such name", "https://api.invalid:6443", "(DNS)"},
		{"another authority", secure.URL, "TLS: its certificate is not signed by the authority"},
		{"http", strings.Replace(plain.URL, "http:", "https:", 1), "it speaks http"},
		{"in time", silent(t), "no response in time"},
		{"broken", broken.URL, "the connection was interrupted"},
	} {
		cluster := &connect.Connection{Context: "prod", Host: c.host, Config: &rest.Config{Host: c.host, Timeout: 300 * time.Millisecond}}
		err := ask(t, cluster)
		var e *connect.Error
		if !errors.As(err, &e) || e.Reason != connect.Unreachable {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, want := range []string{c.want, c.host, `"prod"`} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in:\n%v", c.name, want, err)
			}
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(`pods "p" is forbidden: User "j" cannot get resource "pods/log" in API group "" in the namespace "ml"`, 403, "Forbidden", "p")
	f.Add("exceeded quota: a, requested: b, used: c, limited: d", 403, "Forbidden", "")
	f.Add("getting credentials: exec: executable aws not found", 0, "", "")
	f.Fuzz(func(t *testing.T, message string, code int, reason, name string) {
		for _, err := range []error{
			&apierrors.StatusError{ErrStatus: metav1.Status{Message: message, Code: int32(code), Reason: metav1.StatusReason(reason), Details: &metav1.StatusDetails{Name: name, Kind: reason}}},
			&apierrors.StatusError{ErrStatus: metav1.Status{Message: message, Code: int32(code), Reason: metav1.StatusReason(reason)}},
			fmt.Errorf("%s: %w", message, io.ErrUnexpectedEOF),
		} {
			if connect.Explain(err) == nil {
				t.Errorf("%v became nil", err)
			}
		}
	})
}
