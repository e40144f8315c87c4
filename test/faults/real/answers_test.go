package real

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/test/faults/real/answers"
	"pipec.dev/pipec/test/faults/real/apiserver"
)

var update = flag.Bool("update", false, "write the golden files, with the answers of the real servers")

// TestModelOfAPI compares the answers of the simulated API server with those of the real one.
func TestModelOfAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := kubetest.New(t)
		api.WatchList, api.Username = true, "nobody"
		got, err := answers.Kubernetes(t.Context(), model(api))
		compare(t, "kubernetes", got, err)
		old := kubetest.New(t)
		old.Forget()
		got, err = answers.WithoutWatchList(t.Context(), model(old))
		compare(t, "without-watchlist", got, err)
	})
}

// model returns how requests reach a simulated server.
func model(api *kubetest.API) answers.API {
	api.Fault = func(r *http.Request) kubetest.Fault {
		switch r.Header.Get("Authorization") {
		case "Bearer " + apiserver.Nobody:
			return kubetest.Fault{Code: http.StatusForbidden}
		case "Bearer " + apiserver.Unknown:
			return kubetest.Fault{Code: http.StatusUnauthorized}
		}
		return kubetest.Fault{}
	}
	return answers.API{
		URL: "http://cluster", Transport: api, Namespace: kubetest.Namespace, Admin: apiserver.Admin, Nobody: apiserver.Nobody, Unknown: apiserver.Unknown,
		Terminate: func() error { api.Terminating = true; return nil },
		Run: func(pod string) error {
			if !kubetest.Update(api, "pods", pod, func(p *corev1.Pod) { p.Spec.NodeName, p.Status.Phase = "node", corev1.PodRunning }) {
				return errors.New("there is no pod " + pod)
			}
			return nil
		},
	}
}

// TestRecordedAPI compares the golden files with the answers of the real API server.
func TestRecordedAPI(t *testing.T) {
	c := testcluster.Env(t)
	etcd := startEtcd(t, c)
	for _, server := range []struct {
		golden  string
		gates   []string
		answers func(context.Context, answers.API) ([]answers.Answer, error)
	}{
		{"kubernetes", nil, answers.Kubernetes},
		{"without-watchlist", []string{"WatchList=false", "WatchListClient=false"}, answers.WithoutWatchList},
	} {
		s := startServer(t, etcd, server.golden, server.gates...)
		got, err := server.answers(t.Context(), admin(t, s, "answers-"+server.golden))
		s.Stop()
		compare(t, server.golden, got, err)
	}
}

// startEtcd starts an etcd, with programs of the test cluster.
func startEtcd(t testing.TB, c testcluster.Cluster) *apiserver.Etcd {
	t.Helper()
	etcd, err := apiserver.StartEtcd(filepath.Dir(c.Kubectl), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(etcd.Stop)
	return etcd
}

func startServer(t testing.TB, etcd *apiserver.Etcd, name string, gates ...string) *apiserver.Server {
	t.Helper()
	s, err := etcd.StartServer(name, gates...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// admin returns how requests reach a real server, in a new namespace.
func admin(t testing.TB, s *apiserver.Server, namespace string) answers.API {
	t.Helper()
	transport := s.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	client, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return answers.API{
		URL: s.URL, Transport: transport, Namespace: namespace, Admin: apiserver.Admin, Nobody: apiserver.Nobody, Unknown: apiserver.Unknown,
		Terminate: func() error { return client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}) },
		Run: func(pod string) error {
			pods := client.CoreV1().Pods(namespace)
			err := pods.Bind(ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod}, Target: corev1.ObjectReference{Kind: "Node", Name: "node"}}, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			p, err := pods.Get(ctx, pod, metav1.GetOptions{})
			if err != nil {
				return err
			}
			p.Status.Phase = corev1.PodRunning
			_, err = pods.UpdateStatus(ctx, p, metav1.UpdateOptions{})
			return err
		},
	}
}

// compare compares answers with a golden file, case by case.
func compare(t *testing.T, golden string, got []answers.Answer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", golden+".json")
	if *update && strings.HasPrefix(t.Name(), "TestRecorded") {
		if err := os.WriteFile(path, encode(t, got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []json.RawMessage
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(got) {
		t.Errorf("%s: %d answers, expected %d", path, len(got), len(want))
	}
	for i := range min(len(want), len(got)) {
		var w bytes.Buffer
		if err := json.Indent(&w, want[i], "", "  "); err != nil {
			t.Fatal(err)
		}
		if g := strings.TrimSuffix(string(encode(t, got[i])), "\n"); g != w.String() {
			t.Errorf("%s: the answer is\n%s\nexpected\n%s", path, g, &w)
		}
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
