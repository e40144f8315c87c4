package kube_test

import (
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/kube"
)

// TestInDefinition: the names of a definition's objects are recognized, and not with something added to them.
func TestInDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyName.Draw(t, "pipeline")
		for _, o := range []struct{ kind, name, schedule string }{
			{"CronJob", kube.CronJobName(p), ""},
			{"CronJob", kube.ScheduleName(p, "nightly"), "nightly"},
			{"ServiceAccount", kube.CoordinatorName(p), ""},
			{"ServiceAccount", kube.StepsName(p), ""},
			{"Role", kube.CoordinatorName(p), ""},
			{"RoleBinding", kube.CoordinatorName(p), ""},
			{"ConfigMap", kube.ProgramName(p, digest, 0), ""},
			{"ConfigMap", kube.ProgramName(p, digest, 12), ""},
		} {
			if !kube.InDefinition(o.kind, o.name, p, o.schedule) {
				t.Errorf("%s %q of pipeline %q is not recognized", o.kind, o.name, p)
			}
			for _, renamed := range []string{"dev-" + o.name, o.name + "-dev", "dev-" + o.name + "-eu", o.name + "-0", o.name + "a"} {
				if kube.InDefinition(o.kind, renamed, p, o.schedule) {
					t.Errorf("%s %q is taken for one of pipeline %q", o.kind, renamed, p)
				}
			}
		}
	})
}
