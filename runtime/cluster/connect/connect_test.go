package connect_test

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/program"
)

const one = `apiVersion: v1
kind: Config
current-context: first
clusters: [{name: c, cluster: {server: "https://one:6443"}}]
users: [{name: u, user: {token: t}}]
contexts:
- {name: first, context: {cluster: c, user: u, namespace: ignored}}
- {name: production-eu, context: {cluster: c, user: u}}
`

const two = `apiVersion: v1
kind: Config
current-context: second
clusters: [{name: d, cluster: {server: "https://two:6443"}}, {name: c, cluster: {server: "https://hidden:6443"}}]
users: [{name: v, user: {token: w}}]
contexts:
- {name: second, context: {cluster: d, user: v}}
- {name: broken, context: {cluster: nowhere, user: v}}
`

// write writes a temporary file.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	a, b := write(t, "one", one), write(t, "two", two)
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".kube"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".kube", "config"), []byte(one), 0o600); err != nil {
		t.Fatal(err)
	}
	sep := string(os.PathListSeparator)
	for _, c := range []struct {
		name          string
		environ       []string
		o             program.Orchestrator
		host, context string
		namespace     string
	}{
		{"the current context", []string{"KUBECONFIG=" + a}, program.Orchestrator{}, "https://one:6443", "first", "default"},
		{"a context, and the stack's namespace", []string{"KUBECONFIG=" + a}, program.Orchestrator{Context: "production-eu", Namespace: "ml"}, "https://one:6443", "production-eu", "ml"},
		{"a list: the first that says something wins", []string{"KUBECONFIG=" + a + sep + b}, program.Orchestrator{}, "https://one:6443", "first", "default"},
		{"a list: contexts of all", []string{"KUBECONFIG=" + a + sep + b}, program.Orchestrator{Context: "second"}, "https://two:6443", "second", "default"},
		{"a list with a file that is missing", []string{"KUBECONFIG=" + home + "/none" + sep + b}, program.Orchestrator{}, "https://two:6443", "second", "default"},
		{"the later of two settings", []string{"KUBECONFIG=" + b, "KUBECONFIG=" + a}, program.Orchestrator{}, "https://one:6443", "first", "default"},
		{"at home", []string{"HOME=" + home}, program.Orchestrator{}, "https://one:6443", "first", "default"},
	} {
		got, err := connect.Open(t.Context(), c.o, c.environ)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.Host != c.host || got.Context != c.context || got.Namespace != c.namespace || got.Config.QPS >= 0 || got.Config.Timeout != 0 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestContexts(t *testing.T) {
	a, b, junk := write(t, "one", one), write(t, "two", two), write(t, "junk", "\x00{{{")
	sep := string(os.PathListSeparator)
	for list, want := range map[string]string{
		a: "first production-eu", a + sep + b: "broken first production-eu second", junk: "", filepath.Join(t.TempDir(), "none"): "",
	} {
		if got := strings.Join(connect.Contexts([]string{"KUBECONFIG=" + list}), " "); got != want {
			t.Errorf("%s: got %q, expected %q", list, got, want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	a, b := write(t, "one", one), write(t, "two", two)
	empty, junk := write(t, "empty", ""), write(t, "junk", "\x00{{{")
	none := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct {
		name    string
		environ []string
		o       program.Orchestrator
		reason  connect.Reason
		want    []string
	}{
		{"no file", []string{"KUBECONFIG=" + none}, program.Orchestrator{}, connect.NoConfig, []string{"no kubeconfig", none, "Set KUBECONFIG"}},
		{"no home", []string{"HOME=" + filepath.Dir(none)}, program.Orchestrator{Context: "x"}, connect.NoConfig, []string{"no kubeconfig", ".kube/config"}},
		{"an empty file", []string{"KUBECONFIG=" + empty}, program.Orchestrator{}, connect.NoConfig, []string{"names no cluster", empty}},
		{"junk", []string{"KUBECONFIG=" + junk}, program.Orchestrator{}, connect.NoConfig, []string{"can't be read", junk}},
		{"a context that isn't there", []string{"KUBECONFIG=" + a}, program.Orchestrator{Context: "prodution-eu"}, connect.NoContext,
			[]string{`no context "prodution-eu"`, `did you mean "production-eu"?`, "It has: first, production-eu."}},
		{"a context that is like none", []string{"KUBECONFIG=" + a}, program.Orchestrator{Context: "zenml"}, connect.NoContext, []string{`no context "zenml"`, "It has: first"}},
		{"a context without a cluster", []string{"KUBECONFIG=" + b}, program.Orchestrator{Context: "broken"}, connect.NoConfig, []string{`context "broken"`, "nowhere"}},
		{"no current context", []string{"KUBECONFIG=" + write(t, "three", strings.Replace(one, "current-context: first", "", 1))}, program.Orchestrator{}, connect.NoContext, []string{"no current context", "It has: first"}},
		{"not in a cluster", nil, program.Orchestrator{InCluster: true}, connect.NoConfig, []string{"in_cluster", "not a pod"}},
	} {
		got, err := connect.Open(t.Context(), c.o, c.environ)
		var e *connect.Error
		if !errors.As(err, &e) || e.Reason != c.reason {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in:\n%v", c.name, want, err)
			}
		}
	}
}

// A kubeconfig's plugin, like those of EKS and GKE, is executed for a token.
func TestExecPlugin(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the plugin is a shell script")
	}
	var got string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	}))
	defer server.Close()
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	good := write(t, "token", `#!/bin/sh
echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "fresh"}}'
`)
	bad := write(t, "refuse", "#!/bin/sh\nexit 7\n")
	for _, c := range []struct {
		command string
		reason  connect.Reason
		want    string
	}{
		{good, "", ""},
		{bad, connect.NoPlugin, "exit code 7"},
		{"aws-that-is-missing", connect.NoPlugin, `"aws-that-is-missing", which is not installed`},
	} {
		path := write(t, "config", `apiVersion: v1
kind: Config
current-context: x
clusters: [{name: c, cluster: {server: "`+server.URL+`", certificate-authority-data: `+ca+`}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
users:
- name: u
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: "`+c.command+`", interactiveMode: Never}}
`)
		cluster, err := connect.Open(t.Context(), program.Orchestrator{}, []string{"KUBECONFIG=" + path})
		if err != nil {
			t.Fatal(err)
		}
		err = ask(t, cluster)
		var e *connect.Error
		if c.want == "" {
			if err != nil || got != "Bearer fresh" {
				t.Errorf("%s: %v, %q", c.command, err, got)
			}
		} else if !errors.As(err, &e) || e.Reason != c.reason || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.command, err)
		}
	}
}

// ask sends one request, and explains its error.
func ask(t *testing.T, c *connect.Connection) error {
	t.Helper()
	client, err := rest.HTTPClientFor(c.Config)
	if err != nil {
		return c.Explain(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Host+"/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return c.Explain(err)
}
