package pod_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

func k8s(change func(*program.Stack)) *program.Stack {
	s := &program.Stack{
		Name:          "k8s",
		Orchestrator:  program.Orchestrator{Kind: "kubernetes", Namespace: "ml", StoreGrace: program.Duration(15 * time.Minute)},
		ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"},
		Registry:      &program.Registry{Kind: "generic", URI: "registry.example.com/team"},
	}
	if change != nil {
		change(s)
	}
	return s
}

// one binds a step of image debian:12 and returns its pod.
func one(t *testing.T, s program.Step, stack *program.Stack, lock *program.Lock, o pod.Options) corev1.PodTemplateSpec {
	t.Helper()
	if s.Image == "" {
		s.Image = "debian:12"
	}
	s.Name = "train"
	p := &program.Program{Version: 1, Project: "digits", Pipeline: "My_Pipe", Steps: []program.Step{s}}
	bound, _, err := pod.Bind(p, stack, lock, o)
	if err != nil {
		t.Fatal(err)
	}
	if p.Target != nil || p.Steps[0].Pod != nil {
		t.Error("the program itself was changed")
	}
	var out corev1.PodTemplateSpec
	if err := json.Unmarshal(bound.Steps[0].Pod, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func imageOf(user string) *program.Lock {
	return &program.Lock{Images: map[string]program.LockedImage{"debian:12": {Digest: "sha256:abc", User: user}}}
}

func number(p *int64) int64 {
	if p == nil {
		return -1
	}
	return *p
}

// TestWho: who runs in a pod, by the image's own user and the security block. -1 is nothing said.
func TestWho(t *testing.T) {
	for _, c := range []struct {
		image           string
		security        *program.Security
		user, group, fs int64
		nonRoot         bool
	}{
		{"", nil, 65532, 65532, 65532, true},
		{"root", nil, 65532, 65532, 65532, true},
		{"0", nil, 65532, 65532, 65532, true},
		{"0:0", nil, 65532, 65532, 65532, true},
		{"app", nil, 65532, 65532, 65532, true},
		{"app:app", nil, 65532, 65532, 65532, true},
		{"1000", nil, 1000, 1000, 1000, true},
		{"1000:0", nil, 1000, 0, 0, true},
		{"1000:50", nil, 1000, 50, 50, true},
		{"1000:app", nil, 1000, 1000, 1000, true},
		{"-5", nil, 65532, 65532, 65532, true},
		{"99999999999", nil, 65532, 65532, 65532, true},
		{"1000", &program.Security{RunAsUser: "7"}, 7, 7, 7, true},
		{"1000", &program.Security{RunAsGroup: "8"}, 1000, 8, 8, true},
		{"1000", &program.Security{RunAsUser: "cluster"}, -1, -1, -1, true},
		{"1000", &program.Security{RunAsUser: "cluster", RunAsGroup: "9"}, -1, 9, 9, true},
		{"1000", &program.Security{RunAsGroup: "cluster"}, 1000, -1, -1, true},
		{"", &program.Security{RunAsUser: "0", AllowRoot: true}, 0, 0, 0, false},
		{"", &program.Security{RunAsUser: "cluster", AllowRoot: true}, -1, -1, -1, false},
	} {
		s := one(t, program.Step{Security: c.security}, k8s(nil), imageOf(c.image), pod.Options{}).Spec.SecurityContext
		if number(s.RunAsUser) != c.user || number(s.RunAsGroup) != c.group || number(s.FSGroup) != c.fs || *s.RunAsNonRoot != c.nonRoot {
			t.Errorf("image of %q with %+v: user %d, group %d, fsGroup %d, nonRoot %v; want %+v", c.image, c.security,
				number(s.RunAsUser), number(s.RunAsGroup), number(s.FSGroup), *s.RunAsNonRoot, c)
		}
	}
}

// TestRestricted: which steps leave `restricted`, and which don't.
func TestRestricted(t *testing.T) {
	for name, c := range map[string]struct {
		step   program.Step
		leaves string // part of the reasons
	}{
		"plain":       {program.Step{}, ""},
		"read-only":   {program.Step{Security: &program.Security{ReadOnlyRoot: true}}, ""},
		"cluster":     {program.Step{Security: &program.Security{RunAsUser: "cluster"}}, ""},
		"bind low":    {program.Step{Security: &program.Security{Capabilities: []string{"NET_BIND_SERVICE"}}}, ""},
		"root":        {program.Step{Security: &program.Security{RunAsUser: "0", AllowRoot: true}}, "runAsNonRoot"},
		"privileged":  {program.Step{Security: &program.Security{Privileged: true}}, "privileged"},
		"capability":  {program.Step{Security: &program.Security{Capabilities: []string{"SYS_ADMIN"}}}, "SYS_ADMIN"},
		"sidecar":     {program.Step{PodPatch: json.RawMessage(`{"containers":[{"name":"s","image":"i"}]}`)}, ""},
		"init":        {program.Step{PodPatch: json.RawMessage(`{"initContainers":[{"name":"s","image":"i","restartPolicy":"Always"}]}`)}, ""},
		"host":        {program.Step{PodPatch: json.RawMessage(`{"hostNetwork":true}`)}, "hostNetwork"},
		"host path":   {program.Step{PodPatch: json.RawMessage(`{"volumes":[{"name":"v","hostPath":{"path":"/"}}]}`)}, "hostPath"},
		"privileged2": {program.Step{PodPatch: json.RawMessage(`{"containers":[{"name":"s","image":"i","securityContext":{"privileged":true}}]}`)}, "privileged"},
	} {
		for _, wrapper := range []string{pod.WrapperImage, pod.WrapperInit} {
			template := one(t, c.step, k8s(func(s *program.Stack) { s.Orchestrator.Wrapper = wrapper }), nil, pod.Options{})
			reasons, err := restricted.Reasons(&template)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(reasons, "; ")
			if (got == "") != (c.leaves == "") || !strings.Contains(got, c.leaves) {
				t.Errorf("%s, %s: %q, want %q", name, wrapper, got, c.leaves)
			}
		}
	}
}

// TestWrapper: how the agent gets into the pod.
func TestWrapper(t *testing.T) {
	for _, c := range []struct {
		stack, version, nodes, asked string
		want                         string
	}{
		{"", "", "", "", pod.WrapperInit},
		{"auto", "1.36", "", "", pod.WrapperImage},
		{"auto", "1.35", "", "", pod.WrapperInit},
		{"auto", "1.30", "", "v1.37.2-eks-5d4a308", pod.WrapperImage},
		{"auto", "1.37", pod.WrapperInit, "", pod.WrapperInit},
		{"image", "1.34", pod.WrapperInit, "", pod.WrapperImage},
		{"init", "1.37", pod.WrapperImage, "", pod.WrapperInit},
		{"auto", "garbage", "", "", pod.WrapperInit},
	} {
		stack := k8s(func(s *program.Stack) { s.Orchestrator.Wrapper, s.Orchestrator.Version = c.stack, c.version })
		spec := one(t, program.Step{}, stack, nil, pod.Options{Version: c.asked, Wrapper: c.nodes}).Spec
		got := pod.WrapperInit
		for _, v := range spec.Volumes {
			if v.Name == kube.VolumeAgent && v.Image != nil {
				got = pod.WrapperImage
			}
		}
		if (got == pod.WrapperInit) != (len(spec.InitContainers) == 1) || got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestMissing: names without a digest are reported once, and pinned ones aren't.
func TestMissing(t *testing.T) {
	p := &program.Program{
		Pipeline: "p", Project: "x",
		Codes:   []program.Code{{Name: "src", Dir: "src"}, {Name: "lib", Dir: "lib"}},
		Images:  []program.Image{{Name: "b", Base: "debian:12", Packages: []string{"jq"}}},
		Steps:   []program.Step{{Name: "a", Image: "debian:12"}, {Name: "b", Image: "debian:12"}, {Name: "c", Image: "image.b"}},
		Finally: []program.Step{{Name: "d", Image: "debian@sha256:1234"}},
	}
	lock := &program.Lock{Codes: map[string]program.LockedCode{program.LockedCodeKey("k8s", "lib"): {Digest: "sha256:11"}}}
	bound, missing, err := pod.Bind(p, k8s(nil), lock, pod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	built, _ := kube.ImageReference(p, k8s(nil).Registry, "image.b")
	want := []pod.Missing{
		{Kind: pod.MissingAgent, Name: "registry.example.com/team/pipec-agent:not-pushed"},
		{Kind: pod.MissingCode, Name: "src"},
		{Kind: pod.MissingImage, Name: "debian:12"},
		{Kind: pod.MissingImage, Name: built, Built: true},
	}
	if !reflect.DeepEqual(missing, want) {
		t.Errorf("%+v", missing)
	}
	if bound.Codes[1].Digest != "sha256:11" || bound.Finally[0].ImageDigest != "sha256:1234" || bound.Steps[0].ImageDigest != "" {
		t.Errorf("%+v", bound)
	}
	if _, _, err := pod.Bind(p, &program.Stack{Name: "local", Orchestrator: program.Orchestrator{Kind: "local"}}, nil, pod.Options{}); err == nil {
		t.Error("a local stack has no pods")
	}
	p.Steps[0].Image = ""
	if _, _, err := pod.Bind(p, k8s(nil), nil, pod.Options{}); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Error(err)
	}
}

// TestTemplate: what a step says arrives in its pod.
func TestTemplate(t *testing.T) {
	stack := k8s(func(s *program.Stack) { s.ArtifactStore.Secret = "store" })
	got := one(t, program.Step{
		Timeout: program.Duration(time.Hour), PendingTimeout: program.Duration(time.Minute), Grace: program.Duration(1500 * time.Millisecond),
		ServiceAccount: "trainer", NodeSelector: map[string]string{"gpu": "yes"},
		Labels: map[string]string{"team": "ml", kube.LabelStep: "forged"}, Annotations: map[string]string{"note": "x"},
		SecretEnv: []program.Secret{{Name: "TOKEN", Secret: "api", Key: "token"}},
		Resources: &program.Resources{CPU: "500m", Memory: "1Gi", CPULimit: "2", Storage: "5Gi", Extended: map[string]string{"nvidia.com/gpu": "1"}},
		PodPatch:  json.RawMessage(`{"priorityClassName":"batch","containers":[{"name":"main","env":[{"name":"A","value":"1"}]},{"name":"proxy","image":"p:1"}]}`),
	}, stack, &program.Lock{
		Images: map[string]program.LockedImage{"debian:12": {Digest: "sha256:abc"}},
		Agents: map[string]string{"registry.example.com/team": "registry.example.com/team/pipec-agent@sha256:def"},
	}, pod.Options{Version: "1.37"})
	spec, main := got.Spec, got.Spec.Containers[0]
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("image", main.Image, "debian:12@sha256:abc")
	check("command", main.Command, []string{kube.AgentPath, "step"})
	check("deadline", number(spec.ActiveDeadlineSeconds), int64(3600+2+2*900+60+30))
	check("grace", number(spec.TerminationGracePeriodSeconds), int64(32))
	check("restart", spec.RestartPolicy, corev1.RestartPolicyNever)
	check("account", spec.ServiceAccountName, "trainer")
	check("token", *spec.AutomountServiceAccountToken, false)
	check("selector", spec.NodeSelector, map[string]string{"gpu": "yes"})
	check("step label", got.Labels[kube.LabelStep], "train")
	check("plain label", got.Labels[kube.LabelPlain], "My_Pipe")
	check("own label", got.Labels["team"], "ml")
	check("annotation", got.Annotations["note"], "x")
	check("priority", spec.PriorityClassName, "batch")
	check("containers", len(spec.Containers), 2)
	check("agent", spec.Volumes[1].Image.Reference, "registry.example.com/team/pipec-agent@sha256:def")
	check("secret", main.Env[1].ValueFrom.SecretKeyRef.Name, "api")
	check("patched env", main.Env[2], corev1.EnvVar{Name: "A", Value: "1"})
	check("store's secret", main.EnvFrom[0].SecretRef.Name, "store")
	check("memory limit", main.Resources.Limits.Memory().String(), "1Gi")
	check("cpu limit", main.Resources.Limits.Cpu().String(), "2")
	check("gpu", main.Resources.Limits.Name("nvidia.com/gpu", "").String(), "1")
	for _, e := range main.Env {
		if e.Name == kube.EnvStore && strings.Contains(e.Value, "AWS") {
			t.Error("the store's description holds a secret")
		}
	}
	for i, c := range spec.Containers {
		check("drop", c.SecurityContext.Capabilities.Drop, []corev1.Capability{"ALL"})
		check("escalation", *c.SecurityContext.AllowPrivilegeEscalation, false)
		if i > 0 {
			check("a sidecar has none of the store's secrets", len(c.EnvFrom)+len(c.Env), 0)
		}
	}
}
