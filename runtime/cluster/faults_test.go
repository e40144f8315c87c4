package cluster_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
)

func TestClusterFaults(t *testing.T) {
	p := newPlace(t)
	a := definition("p", "a", "1")
	with := func(c *connect.Connection) cluster.Options {
		return cluster.Options{Cluster: c, Project: "p", Prune: true, Objects: slices.Clone(a)}
	}
	unreachable := *p.cluster
	unreachable.Config, unreachable.Host = p.test.Config(t), "https://127.0.0.1:1"
	unreachable.Config.Host = unreachable.Host
	for _, c := range []struct {
		name    string
		cluster *connect.Connection
		reason  connect.Reason
		want    string
	}{
		{"no namespace", p.as("admin", "not-there"), connect.NoNamespace, `no namespace "not-there"`},
		{"no rights", p.as("nobody", p.namespace), connect.Forbidden, `"nobody" may not get serviceaccounts "a-run" in namespace "` + p.namespace + `"`},
		{"an unknown token", p.as("unknown-token", p.namespace), connect.Unauthorized, "does not accept the credentials"},
		{"nobody there", &unreachable, connect.Unreachable, "https://127.0.0.1:1 can't be reached: connection refused"},
	} {
		_, err := cluster.Plan(t.Context(), with(c.cluster))
		var e *connect.Error
		if !errors.As(err, &e) || e.Reason != c.reason || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A cancelled context remains a cancelled context.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cluster.Plan(ctx, with(p.cluster)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// A quota is exhausted in the middle; applying again continues when there is room.
	quotas := p.client.CoreV1().ResourceQuotas(p.namespace)
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/cronjobs.batch": *quantity("0")}}}
	if _, err := quotas.Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	p.quotaKnown("small")
	o := p.options("p", a)
	_, err := cluster.Plan(t.Context(), o)
	var e *connect.Error
	if !errors.As(err, &e) || e.Reason != connect.Quota || !strings.Contains(err.Error(), `quota "small" is exhausted`) {
		t.Errorf("quota: %v", err)
	}
	// The plan is made without the quota, and then fails in the middle.
	quota.Spec.Hard["count/cronjobs.batch"] = *quantity("5")
	if _, err := quotas.Update(t.Context(), quota, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	p.quotaKnown("small")
	changes := p.plan(o)
	quota.Spec.Hard["count/cronjobs.batch"] = *quantity("0")
	if _, err := quotas.Update(t.Context(), quota, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	p.quotaKnown("small")
	var partial *cluster.PartialError
	if err := cluster.Apply(t.Context(), o, changes, nil); !errors.As(err, &partial) || !strings.Contains(err.Error(), "4 of 5 changes have been made; apply again") {
		t.Errorf("in the middle: %v", err)
	}
	if err := quotas.Delete(t.Context(), "small", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, "with room", p.apply(o), "create CronJob a")
}

// A missing namespace is created if the stack says so.
func TestCreateNamespace(t *testing.T) {
	p := newPlace(t)
	name := p.namespace + "-new"
	o := p.options("p", definition("p", "a", "1"))
	o.Cluster, o.CreateNamespace = p.as("admin", name), true
	t.Cleanup(func() { _ = p.client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{}) })
	changes := p.plan(o)
	if got := actions(changes); !strings.Contains(got, "create Namespace "+name) || changes.Count(cluster.Create) != 6 {
		t.Errorf("%s", got)
	}
	if err := cluster.Apply(t.Context(), o, changes, nil); err != nil {
		t.Fatal(err)
	}
	expect(t, "again", p.apply(o), "")
}

func TestCheck(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		name    string
		cluster *connect.Connection
		good    bool
		want    []string
	}{
		{"admin", p.cluster, true, []string{"Kubernetes v1.", "image volumes: ", "enforces Pod Security restricted", "rights to apply: all there", "rights to run: all there"}},
		{"nobody", p.as("nobody", p.namespace), false, []string{"get/list/create/patch/delete serviceaccounts", "create/get/list/watch/patch jobs.batch"}},
		{"no namespace", p.as("admin", "not-there"), false, []string{`there is no namespace "not-there"`}},
		{"no token", p.as("unknown-token", p.namespace), false, []string{"does not accept the credentials"}},
	} {
		good, text := true, ""
		for _, f := range cluster.Check(t.Context(), c.cluster, false, "") {
			good = good && f.OK
			text += f.Part + ": " + f.Text + "\n"
		}
		if good != c.good {
			t.Errorf("%s: %v\n%s", c.name, good, text)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, text)
			}
		}
	}
}

func quantity(text string) *resource.Quantity {
	q := resource.MustParse(text)
	return &q
}

// quotaKnown waits until the cluster has computed the quota's usage.
func (p *place) quotaKnown(name string) {
	p.t.Helper()
	w, err := p.client.CoreV1().ResourceQuotas(p.namespace).Watch(p.t.Context(), metav1.SingleObject(metav1.ObjectMeta{Name: name}))
	if err != nil {
		p.t.Fatal(err)
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		if q, ok := event.Object.(*corev1.ResourceQuota); ok && equality.Semantic.DeepEqual(q.Spec.Hard, q.Status.Hard) {
			return
		}
	}
	p.t.Fatal("the quota is not known")
}
