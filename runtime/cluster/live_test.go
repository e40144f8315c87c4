package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// place is a namespace on the test cluster for one test.
type place struct {
	t         *testing.T
	test      testcluster.Cluster
	client    kubernetes.Interface
	cluster   *connect.Connection
	namespace string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	t.Parallel()
	c := testcluster.Env(t)
	p := &place{t: t, test: c, client: c.Client(t), namespace: c.Namespace(t)}
	p.cluster = p.as("admin", p.namespace)
	return p
}

func (p *place) as(context, namespace string) *connect.Connection {
	p.t.Helper()
	c, err := connect.Open(p.t.Context(), program.Orchestrator{Context: context, Namespace: namespace}, []string{"KUBECONFIG=" + p.test.Kubeconfig})
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// definition returns a definition like those of emit, but smaller.
func definition(project, pipeline, version string) []unstructured.Unstructured {
	meta := func(name string) map[string]any {
		labels := map[string]any{kube.LabelManagedBy: kube.Manager, kube.LabelPipeline: pipeline}
		if project != "" {
			labels[kube.LabelProject] = project
		}
		return map[string]any{"name": name, "labels": labels}
	}
	config := kube.ProgramName(pipeline, program.Digest([]byte(version)), 0)
	run := kube.CoordinatorName(pipeline)
	var out []unstructured.Unstructured
	for _, o := range []map[string]any{
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(run)},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta(run), "rules": []any{
			map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"get", "list"}},
		}},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta(run),
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": run},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": run}}},
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(config), "immutable": true, "data": map[string]any{"version": version}},
		{"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta(kube.CronJobName(pipeline)), "spec": map[string]any{
			"schedule": "0 0 1 1 *", "suspend": true,
			"jobTemplate": map[string]any{
				"metadata": map[string]any{"labels": meta("")["labels"]},
				"spec":     map[string]any{"template": podTemplate(run, config)},
			},
		}},
	} {
		out = append(out, unstructured.Unstructured{Object: o})
	}
	return out
}

func podTemplate(account, config string) map[string]any {
	return map[string]any{"spec": map[string]any{
		"restartPolicy": "Never", "serviceAccountName": account,
		"securityContext": map[string]any{"runAsNonRoot": true, "runAsUser": int64(65532), "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
		"containers": []any{map[string]any{
			"name": "coordinator", "image": "registry.invalid/none:1",
			"securityContext": map[string]any{"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}}},
		}},
		"volumes": []any{map[string]any{"name": "program", "projected": map[string]any{"sources": []any{map[string]any{"configMap": map[string]any{"name": config}}}}}},
	}}
}

func (p *place) options(project string, objects ...[]unstructured.Unstructured) cluster.Options {
	return cluster.Options{Cluster: p.cluster, Project: project, Prune: true, Objects: slices.Concat(objects...)}
}

func (p *place) plan(o cluster.Options) *cluster.Changes {
	p.t.Helper()
	changes, err := cluster.Plan(p.t.Context(), o)
	if err != nil {
		p.t.Fatal(err)
	}
	return changes
}

// apply plans and applies, and returns what was done.
func (p *place) apply(o cluster.Options) string {
	p.t.Helper()
	changes := p.plan(o)
	if err := cluster.Apply(p.t.Context(), o, changes, nil); err != nil {
		p.t.Fatal(err)
	}
	return actions(changes)
}

// actions formats a plan as "create Kind name", sorted, without unchanged objects.
func actions(c *cluster.Changes) string {
	var out []string
	for _, ch := range c.List {
		if ch.Action != cluster.Unchanged {
			out = append(out, fmt.Sprintf("%s %s %s", ch.Action, ch.Kind, ch.Name))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// expect checks the actions of a plan.
func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

func config(pipeline, version string) string {
	return kube.ProgramName(pipeline, program.Digest([]byte(version)), 0)
}

func TestApplyTwiceAndPrune(t *testing.T) {
	p := newPlace(t)
	a, b := definition("p", "a", "1"), definition("p", "b", "1")
	all := "create ConfigMap " + config("a", "1") + "\ncreate CronJob a\ncreate Role a-run\ncreate RoleBinding a-run\ncreate ServiceAccount a-run"
	expect(t, "the first time", p.apply(p.options("p", a)), all)
	expect(t, "the second time", p.apply(p.options("p", a)), "")
	p.apply(p.options("p", a, b))
	// Nothing is pruned if pipelines are named, without a project, or by another project.
	named := p.options("p", a)
	named.Prune = false
	expect(t, "one by name", p.apply(named), "")
	expect(t, "another project", p.apply(p.options("q")), "")
	expect(t, "no project", p.apply(p.options("")), "")
	expect(t, "a is no longer there", p.apply(p.options("p", b)), strings.ReplaceAll(all, "create", "delete"))
	a2 := definition("p", "b", "2")
	a2[4].Object["spec"].(map[string]any)["schedule"] = "5 0 1 1 *"
	changes := p.plan(p.options("p", a2))
	expect(t, "another program", actions(changes), "create ConfigMap "+config("b", "2")+"\ndelete ConfigMap "+config("b", "1")+"\nupdate CronJob b")
	for _, ch := range changes.List {
		if ch.Kind != "CronJob" {
			continue
		}
		var got []string
		for _, f := range ch.Fields {
			got = append(got, fmt.Sprintf("%s: %s -> %s", f.Path, f.Before, f.After))
		}
		want := []string{
			`spec.jobTemplate.spec.template.spec.volumes["program"].projected.sources[0].configMap.name: "` + config("b", "1") + `" -> "` + config("b", "2") + `"`,
			`spec.schedule: "0 0 1 1 *" -> "5 0 1 1 *"`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("fields of the CronJob:\n%s", strings.Join(got, "\n"))
		}
	}
	p.apply(p.options("p", a2))
	expect(t, "at the end", p.apply(p.options("p", a2)), "")
}

func TestConflict(t *testing.T) {
	p := newPlace(t)
	o := p.options("p", definition("p", "a", "1"))
	p.apply(o)
	// The same value, set by another manager, is not a conflict.
	p.patch("somebody", `{"spec": {"suspend": true}}`)
	expect(t, "the same value", p.apply(o), "")
	p.patch("somebody", `{"spec": {"suspend": false}}`)
	changes := p.plan(o)
	found := changes.Conflicts()
	if len(found) != 1 || found[0].Name != "a" || len(found[0].Conflicts) != 1 || found[0].Conflicts[0] != (cluster.Conflict{Field: "spec.suspend", Manager: "somebody"}) {
		t.Fatalf("%+v", found)
	}
	if len(found[0].Fields) != 1 || found[0].Fields[0].Path != "spec.suspend" {
		t.Errorf("what taking over would change: %+v", found[0].Fields)
	}
	err := cluster.Apply(t.Context(), o, changes, nil)
	var conflict *cluster.ConflictError
	if !errors.As(err, &conflict) || !strings.Contains(err.Error(), `CronJob "a": spec.suspend is managed by "somebody"`) {
		t.Errorf("%v", err)
	}
	// A conflict that appears between the plan and the apply is found too.
	p.patch("somebody", `{"spec": {"suspend": true}}`)
	o2 := p.options("p", definition("p", "a", "2"))
	before := p.plan(o2)
	p.patch("somebody", `{"spec": {"suspend": false}}`)
	if err := cluster.Apply(t.Context(), o2, before, nil); !errors.As(err, &conflict) || !strings.Contains(err.Error(), "apply again") {
		t.Errorf("%v", err)
	}
	o2.Force = true
	p.apply(o2)
	if job := p.cronJob("a"); job.Spec.Suspend == nil || !*job.Spec.Suspend {
		t.Error("taking over has not")
	}
	o2.Force = false
	expect(t, "after taking over", p.apply(o2), "")
}

func (p *place) patch(manager, text string) {
	p.t.Helper()
	_, err := p.client.BatchV1().CronJobs(p.namespace).Patch(p.t.Context(), "a", types.MergePatchType, []byte(text), metav1.PatchOptions{FieldManager: manager})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) cronJob(name string) *batchv1.CronJob {
	p.t.Helper()
	out, err := p.client.BatchV1().CronJobs(p.namespace).Get(p.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func TestOfAnother(t *testing.T) {
	p := newPlace(t)
	p.apply(p.options("p", definition("p", "a", "1")))
	for _, c := range []struct{ project, want string }{
		{"q", `belongs to project "p", and this project is "q"`},
		{"", `belongs to project "p", and this project has no name`},
	} {
		_, err := cluster.Plan(t.Context(), p.options(c.project, definition(c.project, "a", "1")))
		var e *connect.Error
		if !errors.As(err, &e) || e.Reason != connect.Conflict || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.project, err)
		}
	}
	// Objects that pipec did not create remain unchanged.
	_, err := p.client.CoreV1().ServiceAccounts(p.namespace).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "b-run", Labels: map[string]string{kube.LabelManagedBy: "Helm"}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Plan(t.Context(), p.options("p", definition("p", "b", "1"))); err == nil || !strings.Contains(err.Error(), "was not created by pipec, but by Helm") {
		t.Errorf("%v", err)
	}
	// A project that gets a name takes over what it had without one.
	q := newNameless(p)
	p.apply(q)
	named := p.options("r", definition("r", "n", "1"))
	named.Prune = false
	if got := p.apply(named); !strings.Contains(got, "update CronJob n") || strings.Contains(got, "create") {
		t.Errorf("a project that gets a name:\n%s", got)
	}
}

func newNameless(p *place) cluster.Options { return p.options("", definition("", "n", "1")) }

// Prune and destroy keep what a live run needs.
func TestLiveRuns(t *testing.T) {
	p := newPlace(t)
	p.apply(p.options("p", definition("p", "a", "1")))
	job := p.start("a", "a-1")
	got := p.apply(p.options("p", definition("p", "a", "2")))
	expect(t, "while a run is at work", got, "create ConfigMap "+config("a", "2")+"\nkeep ConfigMap "+config("a", "1")+"\nupdate CronJob a")
	o := p.options("p")
	changes, err := cluster.Destroy(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "destroying while a run is at work", actions(changes), "delete ConfigMap "+config("a", "2")+"\ndelete CronJob a\nkeep ConfigMap "+config("a", "1")+"\nkeep Role a-run\nkeep RoleBinding a-run\nkeep ServiceAccount a-run")
	if runs, err := cluster.LiveRuns(t.Context(), p.cluster, []string{"a", "b"}); err != nil || !slices.Equal(runs, []cluster.LiveRun{{Name: "a-1", Pipeline: "a"}}) {
		t.Errorf("live runs: %v, %v", runs, err)
	}
	if err := cluster.Apply(t.Context(), o, changes, nil); err != nil {
		t.Fatal(err)
	}
	// The CronJob is deleted, and its Job is not.
	if _, err := p.client.BatchV1().CronJobs(p.namespace).Get(t.Context(), "a", metav1.GetOptions{}); err == nil {
		t.Error("the CronJob is still there")
	}
	live, err := p.client.BatchV1().Jobs(p.namespace).Get(t.Context(), job.Name, metav1.GetOptions{})
	if err != nil || live.UID != job.UID || live.DeletionTimestamp != nil {
		t.Fatalf("the run: %+v, %v", live, err)
	}
	ended, stop := context.WithCancelCause(t.Context())
	stop(errors.New("no more waiting"))
	if err := cluster.AwaitRuns(ended, p.cluster, []string{"a-1"}); err == nil || err.Error() != "no more waiting" {
		t.Errorf("a run that goes on: %v", err)
	}
	p.shorten(live)
	if err := cluster.AwaitRuns(t.Context(), p.cluster, []string{"a-1", "never-was"}); err != nil {
		t.Fatal(err)
	}
	changes, err = cluster.Destroy(t.Context(), o, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "after the run", actions(changes), "delete ConfigMap "+config("a", "1")+"\ndelete Role a-run\ndelete RoleBinding a-run\ndelete ServiceAccount a-run")
	if err := cluster.Apply(t.Context(), o, changes, nil); err != nil {
		t.Fatal(err)
	}
	if changes, err = cluster.Destroy(t.Context(), o, nil); err != nil || len(changes.List) > 0 {
		t.Errorf("%v, %v", changes, err)
	}
}

// start creates a Job from the CronJob, as kubectl does. It never runs, because nothing schedules it.
func (p *place) start(pipeline, name string) *batchv1.Job {
	p.t.Helper()
	from := p.cronJob(pipeline)
	yes := true
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: maps.Clone(from.Spec.JobTemplate.Labels),
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: from.Name, UID: from.UID, Controller: &yes}},
	}, Spec: *from.Spec.JobTemplate.Spec.DeepCopy()}
	job.Spec.Template.Spec.NodeSelector = map[string]string{"pipec.dev/no-such-node": "x"}
	out, err := p.client.BatchV1().Jobs(p.namespace).Create(p.t.Context(), job, metav1.CreateOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// shorten lets a Job's deadline pass soon.
func (p *place) shorten(job *batchv1.Job) {
	p.t.Helper()
	_, err := p.client.BatchV1().Jobs(p.namespace).Patch(p.t.Context(), job.Name, types.MergePatchType, []byte(`{"spec": {"activeDeadlineSeconds": 1}}`), metav1.PatchOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestSavedPlan(t *testing.T) {
	p := newPlace(t)
	p.apply(p.options("p", definition("p", "a", "1")))
	path := p.t.TempDir() + "/plan"
	save := func() (*cluster.Saved, cluster.Options) {
		o := p.options("p", definition("p", "a", "2"))
		if err := cluster.Save(path, cluster.Saved{Pipec: "v", Stack: "k8s"}, o, p.plan(o)); err != nil {
			t.Fatal(err)
		}
		s, err := cluster.LoadSaved(path)
		if err != nil {
			t.Fatal(err)
		}
		if o, err = s.Options(path, "v", "k8s", cluster.Options{Cluster: p.cluster}); err != nil {
			t.Fatal(err)
		}
		return s, o
	}
	s, o := save()
	p.patch("somebody", `{"metadata": {"labels": {"moved": "yes"}}}`)
	var stale *cluster.StaleError
	if _, err := s.Replan(t.Context(), o); !errors.As(err, &stale) || stale.Kind != "CronJob" || stale.Name != "a" {
		t.Errorf("%v", err)
	}
	s, o = save()
	changes, err := s.Replan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Apply(t.Context(), o, changes, nil); err != nil {
		t.Fatal(err)
	}
	expect(t, "afterwards", p.apply(p.options("p", definition("p", "a", "2"))), "")
	if _, err := s.Replan(t.Context(), o); !errors.As(err, &stale) {
		t.Errorf("a plan that was applied is applied again: %v", err)
	}
}
