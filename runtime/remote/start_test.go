package remote

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

func definition() *batchv1.CronJob {
	c := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: kube.CronJobName("my_pipe"), Namespace: "ml", UID: "cron-1"}}
	c.Spec.JobTemplate.Labels = map[string]string{kube.LabelManagedBy: kube.Manager}
	c.Spec.JobTemplate.Annotations = map[string]string{kube.AnnotationPipeline: "my_pipe"}
	c.Spec.JobTemplate.Spec.Template.Spec.Containers = []corev1.Container{{Name: kube.ContainerCoordinator}}
	return c
}

func TestStart(t *testing.T) {
	a := kubetest.New(t)
	a.Put(definition())
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	large := json.RawMessage(`"` + strings.Repeat("x", maxInline) + `"`)
	o := StartOptions{
		Pipeline: "my_pipe", Params: map[string]json.RawMessage{"n": json.RawMessage("3")}, Only: []string{"a"}, RerunOf: "other", Kept: []string{"b"},
		Store: s, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	c := fakeCluster(t, a)
	if _, err := c.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.Params["n"], o.Name = large, "by-hand"
	if _, err := c.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	jobs := kubetest.All[*batchv1.Job](a, "jobs")
	slices.SortFunc(jobs, func(a, b *batchv1.Job) int { return strings.Compare(b.Name, a.Name) }) // by-hand comes last
	j := jobs[0]
	if !strings.HasPrefix(j.Name, kube.CronJobName("my_pipe")+"-260102030405-") || CheckName(j.Name) != nil || j.Labels[kube.LabelManagedBy] != kube.Manager {
		t.Errorf("got %s, %v", j.Name, j.Labels)
	}
	for name, want := range map[string]string{
		kube.AnnotationParams: `{"n":3}`, kube.AnnotationOnly: `["a"]`, kube.AnnotationRerunOf: "other", kube.AnnotationKept: `["b"]`,
		kube.AnnotationPipeline: "my_pipe", "cronjob.kubernetes.io/instantiate": "manual",
	} {
		if got := j.Annotations[name]; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if owner := j.OwnerReferences[0]; owner.UID != "cron-1" || owner.Controller == nil || !*owner.Controller || owner.BlockOwnerDeletion != nil {
		t.Errorf("got %v", owner)
	}
	ref, ok := strings.CutPrefix(jobs[1].Annotations[kube.AnnotationParams], "blob:")
	data, err := store.ReadAll(t.Context(), s, record.BlobKey(ref))
	if jobs[1].Name != "by-hand" || !ok || err != nil || !strings.Contains(string(data), string(large)) {
		t.Errorf("large params: %q, %v", ref, err)
	}
	var none *NotAppliedError
	if _, err := c.Start(t.Context(), StartOptions{Pipeline: "other"}); !errors.As(err, &none) {
		t.Errorf("got %v", err)
	}
	var bad *BadNameError
	if _, err := c.Start(t.Context(), StartOptions{Pipeline: "my_pipe", Name: "Up"}); !errors.As(err, &bad) || CheckName(bad.Better) != nil {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, name := range []string{"p", strings.Repeat("long-", 10) + "x", strings.Repeat("-", 3) + "a"} {
		definition := kube.CronJobName(name)
		a, b := RunName(definition, now), RunName(definition, now)
		if len(a) > kube.MaxName || CheckName(a) != nil {
			t.Errorf("%q can't be a name", a)
		}
		if strings.TrimRight(a, "0123456789abcdef") == a || a[:len(a)-4] != b[:len(b)-4] {
			t.Errorf("got %s and %s", a, b)
		}
	}
	for _, bad := range []string{"", "a_b", "A", "-a", "a/b", strings.Repeat("a", 64)} {
		if CheckName(bad) == nil {
			t.Errorf("%q is accepted as a name", bad)
		}
	}
}
