package kube_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/kube"
)

// anyName draws names of the language, and addresses of instances, whose keys are anything.
var anyName = rapid.OneOf(
	rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_-]{0,62}`),
	rapid.Custom(func(t *rapid.T) string {
		return rapid.StringMatching(`[a-z_-]{1,60}`).Draw(t, "step") + `["` + rapid.String().Draw(t, "key") + `"]`
	}),
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestNames: every name becomes a valid name in Kubernetes, within its limits, and two names never become the same.
func TestNames(t *testing.T) {
	kinds := map[string]struct {
		of   func(string) string
		max  int
		rule func(string) []string
	}{
		"CronJob":     {kube.CronJobName, kube.MaxCronJob, validation.IsDNS1123Label},
		"coordinator": {kube.CoordinatorName, kube.MaxName, validation.IsDNS1123Label},
		"steps":       {kube.StepsName, kube.MaxName, validation.IsDNS1123Label},
		"program":     {func(s string) string { return kube.ProgramName(s, digest, 0) }, kube.MaxName, validation.IsDNS1123Label},
		"part":        {func(s string) string { return kube.ProgramName(s, digest, 12345) }, kube.MaxName, validation.IsDNS1123Label},
		"pod":         {func(s string) string { return kube.PodName("uid", s, 3) }, kube.MaxName, validation.IsDNS1123Label},
		"label":       {kube.LabelValue, kube.MaxName, validation.IsValidLabelValue},
	}
	for kind, k := range kinds {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				a, b := anyName.Draw(t, "a"), anyName.Draw(t, "b")
				got := k.of(a)
				if len(got) > k.max || len(got) == 0 {
					t.Fatalf("%q has %d characters", got, len(got))
				}
				if faults := k.rule(got); len(faults) > 0 {
					t.Fatalf("%q: %v", got, faults)
				}
				if a != b && got == k.of(b) {
					t.Fatalf("%q and %q are both %q", a, b, got)
				}
			})
		})
	}
}

// TestNamesDiffer: names that Kubernetes would not distinguish.
func TestNamesDiffer(t *testing.T) {
	long := strings.Repeat("a", 60)
	seen := map[string]string{}
	for _, s := range []string{"train", "Train", "TRAIN", "tr_ain", "tr-ain", "_train", "train_", "_", "-", "--", long, long + "a", long + "b"} {
		name := kube.CronJobName(s)
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q are both %q", s, other, name)
		}
		seen[name] = s
	}
	if got := kube.CronJobName("train"); got != "train" {
		t.Errorf("a name that can stand is kept: %q", got)
	}
	if kube.PodName("u", "a", 1) == kube.PodName("u", "a", 2) || kube.PodName("u", "a", 1) == kube.PodName("v", "a", 1) {
		t.Error("each attempt of each run has a pod of its own")
	}
}
