package kube_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func openS3(ctx context.Context, s program.Store, environ func(string) (string, bool)) (*s3.Store, error) {
	return s3.Open(ctx, s, s3.Options{Environ: environ})
}

// log is what an attempt has stored of its log.
func (w *world) log(run, step string, attempt int) string {
	w.t.Helper()
	var out strings.Builder
	dir := (&record.Run{Namespace: w.ns, Pipeline: "p", Name: run}).AttemptDir(step, attempt) + "/log/"
	for key, err := range w.store.List(w.t.Context(), dir, "") {
		check(w.t, err)
		data, err := store.ReadAll(w.t.Context(), w.store, key)
		check(w.t, err)
		out.Write(data)
	}
	return out.String()
}

// A run from its first pod to its end; then another that takes from the cache what it can, with other params.
func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.bind([]program.Step{
		w.sh("a", "echo 1 > $PIPEC_OUTPUT_n; echo from a; pwd; touch here; id -u", output("n", "number"),
			func(s *program.Step) { s.Cache, s.Image = &program.Cache{}, w.c.Registry+"/"+w.pinned() }),
		w.sh("b", "read n < $PIPEC_INPUT_n; echo $((n + PLUS)) > $PIPEC_OUTPUT_n", input("n", "number", "a", "n"), output("n", "number"),
			func(s *program.Step) { s.Env = []program.Env{{Name: "PLUS", Value: program.Value{Ref: "param.plus"}}} }),
		w.sh("c", "(sleep 100 &); true", after("b")),
	}, func(p *program.Program) {
		p.Params = []program.Param{{Name: "plus", Type: "string", Default: quote("1")}}
		p.Outputs = []program.Result{{Name: "n", Type: "number", Value: program.Value{Ref: "step.b.n"}}}
	})
	w.start(p, "one", nil)
	end := w.succeeded("one")
	if len(end.Outputs) != 1 || string(end.Outputs[0].Value) != `2` {
		t.Errorf("the run gives %+v", end.Outputs)
	}
	if log := w.log("one", "a", 1); log != "from a\n/pipec/scratch\n65532\n" {
		t.Errorf("the log of a is %q", log)
	}
	pods := w.pods("one")
	if len(pods) != 3 {
		t.Errorf("there are %d pods", len(pods))
	}
	for i := range pods {
		if len(pods[i].OwnerReferences) != 1 || pods[i].OwnerReferences[0].Name != "one" {
			t.Errorf("the pod %s is owned by %+v", pods[i].Name, pods[i].OwnerReferences)
		}
	}
	w.start(p, "two", map[string]string{kube.AnnotationParams: `{"plus": "10"}`})
	end = w.succeeded("two")
	if a := w.step(end, "a"); !a.Cached || a.Run != "one" {
		t.Errorf("a ended %+v, and is in the cache", a)
	}
	if len(end.Outputs) != 1 || string(end.Outputs[0].Value) != `11` {
		t.Errorf("the run with another param gives %+v", end.Outputs)
	}
	if pods := w.pods("two"); len(pods) != 2 {
		t.Errorf("with a in the cache there are %d pods", len(pods))
	}
	w.start(p, "three", map[string]string{kube.AnnotationParams: `{"no": 1}`})
	if end := w.failed("three"); end.Reason != "Refused" || !strings.Contains(end.Message, "no param no") {
		t.Errorf("with a param that there is none of: %+v", end)
	}
}

// pinned is busybox by its digest.
func (w *world) pinned() string {
	w.t.Helper()
	digest := imageDigest(w.t, w.c.Busybox("1"))
	return "test/busybox@" + digest
}

// A step that fails, is tried again, and fails: what depends on it is skipped, finally runs, the Job is Failed. A rerun
// keeps what succeeded.
func TestFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	steps := func(script string) []program.Step {
		return []program.Step{
			w.sh("good", "echo 7 > $PIPEC_OUTPUT_n", output("n", "number")),
			w.sh("bad", script, func(s *program.Step) { s.Retry.Attempts = 2 }, input("n", "number", "good", "n")),
			w.sh("after", "true", after("bad")),
		}
	}
	w.start(w.bind(steps("echo attempt $PIPEC_ATTEMPT; exit 7"), func(p *program.Program) {
		p.Finally = []program.Step{w.sh("last", "true")}
	}), "one", nil)
	end := w.failed("one")
	bad := w.step(end, "bad")
	if bad.Status != record.Failed || bad.Attempts != 2 || bad.ExitCode == nil || *bad.ExitCode != 7 {
		t.Errorf("bad ended %+v", bad)
	}
	if s := w.step(end, "after"); s.Status != record.Skipped {
		t.Errorf("after ended %+v", s)
	}
	if s := w.step(end, "last"); s.Status != record.Succeeded {
		t.Errorf("last ended %+v", s)
	}
	if log := w.log("one", "bad", 2); log != "attempt 2\n" {
		t.Errorf("the log of the second attempt is %q", log)
	}
	w.start(w.bind(steps("grep 7 $PIPEC_INPUT_n")), "two", map[string]string{
		kube.AnnotationRerunOf: "one", kube.AnnotationKept: `["good"]`,
	})
	end = w.succeeded("two")
	if s := w.step(end, "good"); !s.Kept || s.Run != "one" {
		t.Errorf("good ended %+v", s)
	}
	if n := len(w.pods("two")); n != 2 {
		t.Errorf("the rerun has %d pods", n)
	}
}

// The coordinator's pod is deleted, then its process is killed in its container: the run continues, and each step has run
// once.
func TestKilledCoordinator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := func(s *program.Step) {
		s.Env = append(s.Env, program.Env{Name: "N", Value: program.Value{Const: quote(s.Name)}})
	}
	w.start(w.bind([]program.Step{
		w.sh("a", "sleep 6; echo 1 > $PIPEC_OUTPUT_n", output("n", "number"), name),
		w.sh("b", "sleep 6; echo 2 > $PIPEC_OUTPUT_n", input("n", "number", "a", "n"), output("n", "number"), name),
		w.sh("c", "sleep 6; read n < $PIPEC_INPUT_n; echo $((n + 1)) > $PIPEC_OUTPUT_n", input("n", "number", "b", "n"), output("n", "number"), name),
	}, func(p *program.Program) {
		p.Outputs = []program.Result{{Name: "n", Type: "number", Value: program.Value{Ref: "step.c.n"}}}
	}), "one", nil)
	a := w.await(kube.LabelStep+"=a", running)
	coordinator := w.await("test=coordinator", running)
	check(t, w.client.CoreV1().Pods(w.ns).Delete(t.Context(), coordinator.Name, metav1.DeleteOptions{}))
	b := w.await(kube.LabelStep+"=b", running)
	coordinator = w.await("test=coordinator", func(p *corev1.Pod) bool { return running(p) && p.UID != coordinator.UID })
	killMain(t, "PIPEC_POD_UID="+string(coordinator.UID))
	c := w.await(kube.LabelStep+"=c", running)
	coordinator = w.await("test=coordinator", func(p *corev1.Pod) bool { return running(p) && p.UID == coordinator.UID })
	check(t, w.client.CoreV1().Pods(w.ns).Delete(t.Context(), coordinator.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}))
	end := w.succeeded("one")
	if len(end.Outputs) != 1 || string(end.Outputs[0].Value) != `3` {
		t.Errorf("the run gives %+v", end.Outputs)
	}
	for _, s := range end.Steps {
		if s.Attempts != 1 {
			t.Errorf("%s had %d attempts", s.Name, s.Attempts)
		}
	}
	uids := map[types.UID]bool{a.UID: true, b.UID: true, c.UID: true}
	for _, p := range w.pods("one") {
		if !uids[p.UID] {
			t.Errorf("the pod %s was made a second time", p.Name)
		}
	}
}

func (w *world) annotate(run, name, value string) {
	w.t.Helper()
	patch, _ := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{name: value}}})
	check(w.t, second(w.client.BatchV1().Jobs(w.ns).Patch(w.t.Context(), run, types.MergePatchType, patch, metav1.PatchOptions{})))
}

// Cancelled by an annotation: what runs gets SIGTERM, finally runs.
func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(w.bind([]program.Step{
		w.sh("a", "trap 'echo told to end; exit 0' TERM; echo ready; sleep 1000 & wait"), w.sh("b", "true", after("a")),
	}, func(p *program.Program) {
		p.Finally = []program.Step{w.sh("last", "true")}
	}), "one", nil)
	w.await(kube.LabelStep+"=a", running)
	w.annotate("one", kube.AnnotationCancel, time.Now().Format(time.RFC3339))
	end := w.failed("one")
	if end.Status != record.Cancelled {
		t.Errorf("the run ended %s", end.Status)
	}
	if s := w.step(end, "b"); s.Status != record.Skipped {
		t.Errorf("b ended %+v", s)
	}
	if s := w.step(end, "last"); s.Status != record.Succeeded {
		t.Errorf("last ended %+v", s)
	}
	if log := w.log("one", "a", 1); !strings.HasSuffix(log, "told to end\n") {
		t.Errorf("the log of a is %q", log)
	}
}

// What a cluster may have against a pod: each is the step's failure, with its reason, and doesn't hang.
func TestPodsThatDoNotStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	soon := func(s *program.Step) { s.PendingTimeout = program.Duration(20 * time.Second) }
	check(t, second(w.client.CoreV1().ResourceQuotas(w.ns).Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "q"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/secrets": quantity("100"), "requests.ephemeral-storage": quantity("1Gi")}},
	}, metav1.CreateOptions{})))
	res := func(r program.Resources) func(*program.Step) { return func(s *program.Step) { s.Resources = &r } }
	fits := res(program.Resources{Storage: "1Mi"})
	w.start(w.bind([]program.Step{
		w.sh("image", "true", soon, fits, func(s *program.Step) { s.Image = w.c.Registry + "/test/no-such-image:1" }),
		w.sh("secret", "true", soon, fits, func(s *program.Step) { s.SecretEnv = []program.Secret{{Name: "A", Secret: "no-such-secret", Key: "k"}} }),
		w.sh("room", "true", soon, res(program.Resources{CPU: "1000", Storage: "1Mi"})),
		w.sh("quota", "true", soon, res(program.Resources{Storage: "2Gi"})),
		w.sh("account", "true", soon, fits, func(s *program.Step) { s.ServiceAccount = "no-such-account" }),
		w.sh("rejected", "true", soon, fits, func(s *program.Step) { s.Security = &program.Security{Privileged: true} }),
		w.sh("fine", "true", fits),
	}), "one", nil)
	end := w.failed("one")
	for name, want := range map[string][2]string{
		"image": {"ImagePullFailed", "no-such-image"}, "secret": {"ContainerConfigError", "no-such-secret"}, "room": {"Unschedulable", "cpu"},
		"quota": {"QuotaExceeded", "exceeded quota"}, "account": {"ContainerConfigError", "no-such-account"}, "rejected": {"PodRejected", "PodSecurity"},
	} {
		if s := w.step(end, name); s.Status != record.Failed || s.Reason != want[0] || !strings.Contains(s.Message, want[1]) || s.Attempts != 1 {
			t.Errorf("%s ended %+v", name, s)
		}
	}
	if s := w.step(end, "fine"); s.Status != record.Succeeded {
		t.Errorf("fine ended %+v", s)
	}
}

// Out of memory: tried again with more. A wrapper that dies with its container leaves the log that the node has.
func TestMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(w.bind([]program.Step{
		w.sh("eats", "echo hungry; exec sort -S 100M /dev/zero", func(s *program.Step) {
			s.Resources = &program.Resources{Memory: "40Mi"}
			s.Retry.Attempts, s.Retry.OOMFactor = 2, 1.5
		}),
		w.sh("killed", "i=0; while echo $i; do i=$((i+1)); sleep 0.1; done", func(s *program.Step) { s.Retry.Infrastructure = 0 }),
	}), "one", nil)
	p := w.await(kube.LabelStep+"=killed", running)
	w.awaitLog(p, "3")
	killMain(t, `PIPEC_SPEC=.*"step":"killed".*/`+w.ns+`/.*`)
	end := w.failed("one")
	if s := w.step(end, "killed"); s.Status != record.Failed || s.Reason != record.ReasonLost {
		t.Errorf("killed ended %+v", s)
	}
	note := regexp.MustCompile(`(?m)^pipec: the following lines are from the pod's own log: .*\n`)
	node, err := w.client.CoreV1().Pods(w.ns).GetLogs(p.Name, &corev1.PodLogOptions{Container: "main"}).DoRaw(t.Context())
	check(t, err)
	if log := w.log("one", "killed", 1); note.ReplaceAllString(log, "") != string(node) {
		t.Errorf("the log of killed is %q, and the node's is %q", log, node)
	}
	if s := w.step(end, "eats"); s.Reason != record.ReasonOOM || s.Attempts != 2 {
		t.Errorf("eats ended %+v", s)
	}
	var memory []string
	for _, p := range w.pods("one") {
		if p.Labels[kube.LabelStep] == "eats" {
			memory = append(memory, p.Labels[kube.LabelAttempt]+" "+p.Spec.Containers[0].Resources.Limits.Memory().String())
		}
	}
	if got := strings.Join(sorted(memory), ", "); got != "1 40Mi, 2 60Mi" {
		t.Errorf("the attempts had %s", got)
	}
}

// A sidecar that was injected runs on when the step has ended: its pod is deleted.
func TestSidecar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	patch := json.RawMessage(`{"containers": [{"name": "side", "image": "` + w.c.Busybox("1") + `", "command": ["sleep", "1000"]}]}`)
	w.start(w.bind([]program.Step{
		w.sh("a", "echo done", func(s *program.Step) { s.PodPatch = patch }), w.sh("b", "true", after("a")),
	}), "one", nil)
	w.await(kube.LabelStep+"=a", func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
	w.succeeded("one")
}

// A pod that someone deletes is not a failure of the step: it is run again, and its attempt counts as before.
// It sleeps for long enough that no slow kubelet lets it end before it is deleted.
func TestDeletedPod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(w.bind([]program.Step{w.sh("a", "echo attempt $PIPEC_ATTEMPT; sleep 20")}), "one", nil)
	p := w.await(kube.LabelStep+"=a", running)
	check(t, w.client.CoreV1().Pods(w.ns).Delete(t.Context(), p.Name, metav1.DeleteOptions{}))
	end := w.succeeded("one")
	if s := w.step(end, "a"); s.Attempts != 2 {
		t.Errorf("a ended %+v", s)
	}
	if log := w.log("one", "a", 2); log != "attempt 1\n" {
		t.Errorf("the log of the second pod is %q", log)
	}
}
