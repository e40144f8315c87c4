package kube

import (
	"reflect"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// TestRenamed: a Job whose objects were renamed after pipec wrote them gives the names of those that the program mentions.
func TestRenamed(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	const agent = "registry.example.com/pipec-agent@sha256:01"
	name := kube.ProgramName("train", digest, 0)
	for _, c := range []struct {
		about               string
		configMap, image    string
		store, pull         string
		pattern             string
		account, agentImage string
	}{
		{"as emitted", name, agent, "keys", "reg", "", "train-steps", agent},
		{"a prefix", "dev-" + name, agent, "dev-keys-5f", "dev-reg", "dev-*", "dev-train-steps", agent},
		{"a suffix", name + "-eu", agent, "keys-eu", "reg", "*-eu", "train-steps-eu", agent},
		{"both, one with the pipeline's own name", "train-" + name + "-train-run", agent, "keys", "reg", "train-*-train-run", "train-train-steps-train-run", agent},
		{"another program", "dev-train-fedcba987654", agent, "keys", "reg", "", "train-steps", agent},
		{"no program", "", agent, "keys", "reg", "", "train-steps", agent},
		{"another image of the agent", name, "mirror/agent:1", "keys", "other", "", "train-steps", "mirror/agent:1"},
	} {
		t.Run(c.about, func(t *testing.T) {
			p := &program.Program{Pipeline: "train", Project: "x", Target: &program.Target{Agent: agent, Store: program.Store{Secret: "keys"}, ImagePullSecrets: []string{"reg", "none"}}}
			job := &batchv1.Job{}
			job.Spec.Template.Spec = jobPod(c.configMap, c.image, c.store, c.pull)
			r := renamedIn(job, p, digest)
			if r.pattern != c.pattern {
				t.Errorf("the pattern is %q, expected %q", r.pattern, c.pattern)
			}
			if (r.group("x") == "x") != (c.pattern == "") {
				t.Errorf("the group's project is %q", r.group("x"))
			}
			spec := stepPod("train-steps", agent)
			r.apply(&spec)
			pull := c.pull
			if pull == "other" { // it doesn't contain the name: the list was replaced
				pull = "reg"
			}
			want := stepPod(c.account, c.agentImage)
			want.ImagePullSecrets[0].Name, want.Containers[0].EnvFrom[0].SecretRef.Name = pull, c.store
			if !reflect.DeepEqual(spec, want) {
				t.Errorf("the step's pod is %+v\nexpected %+v", spec, want)
			}
			other := corev1.PodSpec{ServiceAccountName: "trainer", Containers: []corev1.Container{{Name: "main", Image: agent}}}
			unchanged := *other.DeepCopy()
			if r.apply(&other); !reflect.DeepEqual(other, unchanged) {
				t.Errorf("the user's own names are changed: %+v", other)
			}
		})
	}
	var none renamed // a coordinator that has not read its Job
	spec := stepPod("train-steps", agent)
	if none.apply(&spec); !reflect.DeepEqual(spec, stepPod("train-steps", agent)) {
		t.Errorf("the zero value changes %+v", spec)
	}
}

func secretFrom(name string) []corev1.EnvFromSource {
	return []corev1.EnvFromSource{{Prefix: kube.EnvStorePrefix, SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}}
}

// jobPod returns the pod of a coordinator.
func jobPod(configMap, image, store, pull string) corev1.PodSpec {
	source := corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}}}
	return corev1.PodSpec{
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: pull}},
		Containers:       []corev1.Container{{Name: kube.ContainerCoordinator, Image: image, EnvFrom: secretFrom(store)}},
		Volumes: []corev1.Volume{{Name: kube.VolumeProgram, VolumeSource: corev1.VolumeSource{
			Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{source}},
		}}},
	}
}

// stepPod returns the pod of a step.
func stepPod(account, agent string) corev1.PodSpec {
	return corev1.PodSpec{
		ServiceAccountName: account,
		ImagePullSecrets:   []corev1.LocalObjectReference{{Name: "reg"}, {Name: "none"}},
		InitContainers:     []corev1.Container{{Name: kube.ContainerAgent, Image: agent}},
		Containers:         []corev1.Container{{Name: kube.ContainerMain, Image: "debian:12", EnvFrom: secretFrom("keys")}},
		Volumes: []corev1.Volume{{Name: kube.VolumeAgent, VolumeSource: corev1.VolumeSource{
			Image: &corev1.ImageVolumeSource{Reference: agent},
		}}},
	}
}
