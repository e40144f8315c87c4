package kubernetes_test

import (
	"encoding/json"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// TestIdentities: the coordinator and the steps have the Secrets and the roles that the stack gives them, and neither knows the
// other's. Without settings for steps they share one.
func TestIdentities(t *testing.T) {
	const role = "arn:aws:iam::1:role/"
	for name, c := range map[string]struct {
		store                      program.Store
		secret, role, steps, sRole string
	}{
		"one":           {program.Store{Secret: "s", Role: role + "r"}, "s", role + "r", "s", role + "r"},
		"two":           {program.Store{Secret: "s", Role: role + "r", StepsSecret: "t", StepsRole: role + "u"}, "s", role + "r", "t", role + "u"},
		"secrets":       {program.Store{Secret: "s", StepsSecret: "t"}, "s", "", "t", ""},
		"roles":         {program.Store{Role: role + "r", StepsRole: role + "u"}, "", role + "r", "", role + "u"},
		"mixed":         {program.Store{Secret: "s", StepsRole: role + "u"}, "s", "", "", role + "u"},
		"none of steps": {program.Store{}, "", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.store.Kind, c.store.Path = "s3", "s3://bucket"
			stack := &program.Stack{Name: "k8s", Orchestrator: program.Orchestrator{Kind: "kubernetes", Namespace: "ml"}, ArtifactStore: c.store}
			p := &program.Program{Version: 1, Pipeline: "p", Steps: []program.Step{{Name: "a", Image: "debian:12"}}}
			bound, _, err := pod.Bind(p, stack, nil, pod.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var step corev1.PodTemplateSpec
			if err := json.Unmarshal(bound.Steps[0].Pod, &step); err != nil {
				t.Fatal(err)
			}
			holds(t, "step", &step.Spec.Containers[0], c.steps, c.sRole)
			objects, err := kubernetes.DefinitionWith(bound, kinds.Builtin())
			if err != nil {
				t.Fatal(err)
			}
			accounts := map[string]string{}
			for _, o := range objects {
				switch o.GetKind() {
				case "ServiceAccount":
					accounts[o.GetName()] = o.GetAnnotations()["eks.amazonaws.com/role-arn"]
				case "CronJob":
					var job batchv1.CronJob
					if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &job); err != nil {
						t.Fatal(err)
					}
					holds(t, "coordinator", &job.Spec.JobTemplate.Spec.Template.Spec.Containers[0], c.secret, c.role)
				}
			}
			if accounts["p-run"] != c.role || accounts["p-steps"] != c.sRole || len(accounts) != 2 {
				t.Errorf("the accounts have the roles %v", accounts)
			}
		})
	}
}

// holds checks the Secret of a container, and the description of the store that it gets.
func holds(t *testing.T, who string, c *corev1.Container, secret, role string) {
	t.Helper()
	got := ""
	for _, from := range c.EnvFrom {
		got += from.SecretRef.Name
	}
	for _, e := range c.Env {
		var s program.Store
		if e.Name != kube.EnvStore {
			continue
		}
		if err := json.Unmarshal([]byte(e.Value), &s); err != nil || s.Secret != secret || s.Role != role || strings.Contains(e.Value, "steps_") {
			t.Errorf("the %s gets %s, %v", who, e.Value, err)
		}
	}
	if got != secret {
		t.Errorf("the %s has the Secret %q, want %q", who, got, secret)
	}
}
