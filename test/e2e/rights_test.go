package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"pipec.dev/pipec/internal/testcluster"
)

// right is what a rule of a Role grants, or what a request needs.
type right struct{ resource, verb string }

// rights compares the Roles of the coordinators with the requests that they have sent, by the API server's audit log.
type rights struct {
	mu      sync.Mutex
	granted map[string][]right // by the user name of the coordinator
	scripts int
}

// note takes in the Roles of a script's namespace. It is called before the namespace is deleted.
func (r *rights) note(ctx context.Context, client kubernetes.Interface, namespace string) error {
	roles, err := client.RbacV1().Roles(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=pipec"})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scripts++
	for i := range roles.Items {
		user := "system:serviceaccount:" + namespace + ":" + roles.Items[i].Name // the account has the same name
		for _, rule := range roles.Items[i].Rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					r.granted[user] = append(r.granted[user], right{resource, verb})
				}
			}
		}
	}
	return nil
}

// seldom are rights that a coordinator needs only if a server does not stream lists (WatchList), or if a response was lost.
var seldom = []right{{"jobs", "list"}, {"leases", "list"}, {"pods", "list"}, {"pods", "get"}}

// check reports requests that were refused, and rights that no coordinator has used. It reports the latter only if all scripts
// have run.
func (r *rights) check(t *testing.T, c testcluster.Cluster) {
	log, err := os.Open(c.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	used, requests := map[right]bool{}, 0
	in := bufio.NewScanner(log)
	in.Buffer(nil, 4<<20)
	for in.Scan() {
		if !strings.Contains(in.Text(), `-run"`) {
			continue
		}
		var e struct {
			Verb           string
			User           struct{ Username string }
			ObjectRef      struct{ Resource, Subresource, Namespace, Name string }
			ResponseStatus struct {
				Code    int
				Message string
			}
		}
		if json.Unmarshal(in.Bytes(), &e) != nil || r.granted[e.User.Username] == nil {
			continue
		}
		requests++
		need := right{e.ObjectRef.Resource, e.Verb}
		if e.ObjectRef.Subresource != "" {
			need.resource += "/" + e.ObjectRef.Subresource
		}
		used[need] = true
		if !slices.Contains(r.granted[e.User.Username], need) {
			t.Errorf("%s has sent %s %s %s, which its Role doesn't grant: %d %s", e.User.Username, need.verb, need.resource, e.ObjectRef.Name, e.ResponseStatus.Code, e.ResponseStatus.Message)
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob("testdata/*.txtar"); err != nil || r.scripts < len(files) {
		return
	}
	if requests == 0 {
		t.Error("the audit log has no request of a coordinator")
	}
	for user, list := range r.granted {
		for _, g := range list {
			if !used[g] && !slices.Contains(seldom, g) {
				t.Errorf("no coordinator has used the right to %s %s, which the Role of %s grants", g.verb, g.resource, user)
			}
		}
	}
}
