// Package manifests tests what pipec writes for clusters with a real API server: for any project, each object, and each pod
// of its runs, must be accepted by a strict server-side dry run, and by Pod Security if it is supposed to be.
package manifests_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

type server struct {
	client    dynamic.Interface
	namespace string
}

// TestAccepted draws projects, about two hundred pipelines in all.
func TestAccepted(t *testing.T) {
	cluster := testcluster.Env(t)
	client, err := dynamic.NewForConfig(cluster.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	s := server{client: client, namespace: cluster.Namespace(t)}
	rapid.Check(t, func(t *rapid.T) {
		for _, p := range bound(t, project(t, s.namespace, cluster.Registry+"/manifests")) {
			s.accepts(t, p)
		}
	})
}

// bound compiles a source and binds what comes out.
func bound(t *rapid.T, source string) []*program.Program {
	r := compiler.Source("main.pipec.hcl", []byte(source), compiler.Options{Dir: ".", Stack: "k8s"})
	if r.Diags.HasErrors() {
		var b strings.Builder
		_ = diag.Human(&b, diag.NewView(r.Diags.Sorted(), r.Sources), diag.Options{})
		t.Fatalf("%s\n%s", b.String(), source)
	}
	var out []*program.Program
	for _, p := range r.Programs {
		b, _, err := pod.Bind(p, r.Stack, nil, pod.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func (s server) accepts(t *rapid.T, p *program.Program) {
	objects, err := kubernetes.Definition(p)
	if err != nil {
		t.Fatal(err)
	}
	job, err := kubernetes.Job(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range append(objects, job) {
		if err := s.apply(&o, true); err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		if o.GetKind() == "ServiceAccount" { // the server rejects pods of a missing service account
			if err := s.apply(&o, false); err != nil {
				t.Fatal(err)
			}
		}
		s.template(t, &o)
	}
	leaving, err := restricted.Leaving(p)
	if err != nil {
		t.Fatal(err)
	}
	leaves := map[string][]string{}
	for _, l := range leaving {
		leaves[l.Step] = l.Reasons
	}
	steps := p.All()
	verdicts := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, step := range steps {
		o := podOf(t, step, s.namespace)
		wg.Go(func() { verdicts[i] = s.apply(o, true) })
	}
	wg.Wait()
	for i, step := range steps {
		err := verdicts[i]
		switch refused := apierrors.IsForbidden(err) && strings.Contains(err.Error(), "violates PodSecurity"); {
		case leaves[step.Name] != nil && !refused:
			t.Fatalf("the pod of step %q was to leave restricted (%v), and the server says %v", step.Name, leaves[step.Name], err)
		case leaves[step.Name] == nil && err != nil:
			t.Fatalf("the pod of step %q: %v\n%s", step.Name, err, step.Pod)
		}
	}
}

// podOf returns the pod that the coordinator makes from a step's template.
func podOf(t *rapid.T, step *program.Step, namespace string) *unstructured.Unstructured {
	var template corev1.PodTemplateSpec
	if err := json.Unmarshal(step.Pod, &template); err != nil {
		t.Fatal(err)
	}
	template.Labels[kube.LabelRun], template.Labels[kube.LabelRunUID], template.Labels[kube.LabelAttempt] = "run", "0b5a1f0e", "1"
	data, err := json.Marshal(corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: kube.PodName("uid", step.Name, 1), Namespace: namespace, Labels: template.Labels, Annotations: template.Annotations},
		Spec:       template.Spec,
	})
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	delete(u.Object, "status")
	return &u
}

// template creates the coordinator's pod of a Job: the server checks a Job's template less strictly than a pod.
func (s server) template(t *rapid.T, o *unstructured.Unstructured) {
	if o.GetKind() != "Job" {
		return
	}
	spec, _, err := unstructured.NestedMap(o.Object, "spec", "template", "spec")
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": spec}}
	u.SetName("coordinator")
	u.SetNamespace(s.namespace)
	if err := s.apply(u, true); err != nil {
		t.Fatalf("the coordinator's pod: %v", err)
	}
}

// apply applies an object as apply does: server-side, strictly.
func (s server) apply(o *unstructured.Unstructured, dry bool) error {
	data, err := o.MarshalJSON()
	if err != nil {
		return err
	}
	resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	options := metav1.PatchOptions{FieldManager: kube.Manager, FieldValidation: metav1.FieldValidationStrict}
	if dry {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = s.client.Resource(resource).Namespace(s.namespace).Patch(context.Background(), o.GetName(), types.ApplyPatchType, data, options)
	return err
}
