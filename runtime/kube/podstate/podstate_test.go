package podstate

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

var at = metav1.NewTime(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))

func status(phase corev1.PodPhase, more ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{NodeName: "n"}, Status: corev1.PodStatus{Phase: phase}}
	for _, f := range more {
		f(p)
	}
	return p
}

func main(s corev1.ContainerState) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: kube.ContainerMain, State: s})
	}
}

func runs() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}
}

func pending(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "m"}}
}

func over(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: at, FinishedAt: at}}
}

func cond(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: at})
	}
}

func reason(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Reason, p.Status.Message = reason, message }
}

func deleted(p *corev1.Pod) { p.DeletionTimestamp = &at }

func initEnded(name string, s corev1.ContainerState) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, corev1.ContainerStatus{Name: name, State: s})
	}
}

func TestWaiting(t *testing.T) {
	for _, c := range []struct {
		name   string
		pod    *corev1.Pod
		kind   Kind
		waits  bool
		reason string
	}{
		{"new", status(corev1.PodPending), 0, false, ""},
		{"no room", status(corev1.PodPending, cond(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/3 nodes")), Room, true, ReasonUnschedulable},
		{"it is being created", status(corev1.PodPending, main(pending("ContainerCreating"))), 0, false, ""},
		{"no image", status(corev1.PodPending, main(pending("ErrImagePull"))), Image, true, ReasonImage},
		{"no image, and waiting", status(corev1.PodPending, main(pending("ImagePullBackOff"))), Image, true, ReasonImage},
		{"no name of an image", status(corev1.PodPending, main(pending("InvalidImageName"))), Never, true, ReasonImage},
		{"no secret", status(corev1.PodPending, main(pending("CreateContainerConfigError"))), Config, true, ReasonConfig},
		{"the agent's image", status(corev1.PodPending, initEnded(kube.ContainerAgent, pending("ErrImagePull")), main(pending("PodInitializing"))), Image, true, ReasonImage},
		{"it runs", status(corev1.PodRunning, main(runs())), 0, false, ""},
		{"it has ended", status(corev1.PodFailed, main(pending("ErrImagePull"))), 0, false, ""},
	} {
		s := Of(c.pod)
		if (s.Waiting != nil) != c.waits {
			t.Errorf("%s: waiting %+v", c.name, s.Waiting)
			continue
		}
		if c.waits && (s.Waiting.Kind != c.kind || s.Waiting.Kind.EndReason() != c.reason) {
			t.Errorf("%s: waiting %+v, %s", c.name, s.Waiting, s.Waiting.Kind.EndReason())
		}
	}
}

func TestGrace(t *testing.T) {
	for _, c := range []struct {
		kind          Kind
		timeout, want time.Duration
	}{
		{Starting, 0, graceAll}, {Starting, time.Hour, time.Hour}, {Room, time.Second, time.Second}, {Quota, 2 * time.Hour, 2 * time.Hour},
		{Image, 0, graceImage}, {Image, time.Hour, graceImage}, {Image, time.Second, time.Second},
		{Config, 0, graceConfig}, {Config, time.Second, time.Second}, {Never, 0, 0}, {Never, time.Hour, 0},
	} {
		if got := c.kind.Grace(c.timeout); got != c.want {
			t.Errorf("kind %d with the timeout %s: %s", c.kind, c.timeout, got)
		}
	}
}

func TestNode(t *testing.T) {
	ready := func(pod, containers corev1.ConditionStatus) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			cond(corev1.PodReady, pod, "", "")(p)
			cond(corev1.ContainersReady, containers, "", "")(p)
		}
	}
	for _, c := range []struct {
		name   string
		pod    *corev1.Pod
		silent bool
	}{
		{"all is well", status(corev1.PodRunning, main(runs()), ready("True", "True")), false},
		{"the node is lost", status(corev1.PodRunning, main(runs()), ready("False", "True")), true},
		{"a container is not ready", status(corev1.PodRunning, main(runs()), ready("False", "False")), false},
		{"it has ended", status(corev1.PodSucceeded, main(over(0, "Completed", "")), ready("False", "True")), false},
		{"it has not started", status(corev1.PodPending, ready("False", "False")), false},
	} {
		if s := Of(c.pod); s.Silent.IsZero() == c.silent {
			t.Errorf("%s: silent since %s", c.name, s.Silent)
		}
	}
}

// TestForgotten: a pod that runs has started, also if its kubelet has lost the state of its container.
func TestForgotten(t *testing.T) {
	lost := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
	for name, p := range map[string]*corev1.Pod{"no status": status(corev1.PodRunning), "a status that is lost": status(corev1.PodRunning, main(lost))} {
		p.Status.StartTime = &at
		if s := Of(p); !s.Started.Equal(at.Time) || s.Waiting != nil || s.Ends() {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := Of(status(corev1.PodPending, main(lost))); !s.Started.IsZero() {
		t.Errorf("a pod that has not started: %+v", s)
	}
}

func TestSidecars(t *testing.T) {
	side := func(s corev1.ContainerState) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: "istio-proxy", State: s})
		}
	}
	s := Of(status(corev1.PodRunning, side(runs()), main(over(0, "Completed", ""))))
	if !s.Ends() || !s.OthersRun || s.Over {
		t.Errorf("the step has ended and a sidecar runs: %+v", s)
	}
	s = Of(status(corev1.PodRunning, initEnded("native", runs()), main(over(0, "Completed", ""))))
	if !s.Ends() || s.OthersRun {
		t.Errorf("the step has ended and a native sidecar runs: %+v", s)
	}
	s = Of(status(corev1.PodRunning, side(over(1, "Error", "")), main(runs())))
	if s.Ends() || s.OthersRun {
		t.Errorf("a sidecar has ended and the step runs: %+v", s)
	}
}

func TestVerdict(t *testing.T) {
	seven := 7
	result := func(status record.Status, class record.Class, reason string) *record.Result {
		return &record.Result{Status: status, Class: class, Reason: reason, Message: "own words"}
	}
	shutdown := result(record.Failed, record.ClassInfrastructure, record.ReasonShutdown)
	told := string((&step.Termination{Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonStore, Message: "no bucket", ExitCode: &seven}).Encode())
	promised := string((&step.Termination{Status: record.Failed, Class: record.ClassUser, Reason: record.ReasonError, Result: "sha256:x"}).Encode())
	const user, infra = record.ClassUser, record.ClassInfrastructure
	for _, c := range []struct {
		name    string
		result  *record.Result
		pod     *corev1.Pod
		gone    bool
		status  record.Status
		class   record.Class
		reason  string
		message string
	}{
		{"a success", result(record.Succeeded, "", ""), status(corev1.PodSucceeded, main(over(0, "Completed", ""))), false, record.Succeeded, "", "", ""},
		{"a success, whatever came after", result(record.Succeeded, "", ""), status(corev1.PodFailed, reason("Evicted", "x"), deleted), true, record.Succeeded, "", "", ""},
		{"a failure", result(record.Failed, user, record.ReasonError), status(corev1.PodFailed, main(over(7, "Error", ""))), false, record.Failed, user, record.ReasonError, "own words"},
		{"a failure, and the pod was deleted after", result(record.Failed, user, record.ReasonError), status(corev1.PodFailed, main(over(7, "Error", "")), deleted), true, record.Failed, user, record.ReasonError, "own words"},
		{"its memory, and the wrapper lives", result(record.Failed, user, record.ReasonSignal), status(corev1.PodFailed, main(over(1, "OOMKilled", ""))), false, record.Failed, user, record.ReasonOOM, "memory"},
		{"its child's memory", result(record.Failed, user, record.ReasonError), status(corev1.PodFailed, main(over(137, "OOMKilled", ""))), false, record.Failed, user, record.ReasonOOM, "memory"},
		{"a timeout in want of memory", result(record.TimedOut, user, record.ReasonTimeout), status(corev1.PodFailed, main(over(1, "OOMKilled", ""))), false, record.TimedOut, user, record.ReasonTimeout, "own words"},
		{"the wrapper's memory", nil, status(corev1.PodFailed, main(over(137, "OOMKilled", ""))), false, record.Failed, user, record.ReasonOOM, "memory"},
		{"told to end, nobody says why", shutdown, status(corev1.PodFailed, main(over(1, "Error", ""))), false, record.Failed, infra, record.ReasonShutdown, "own words"},
		{"deleted by someone", shutdown, status(corev1.PodRunning, main(over(1, "Error", "")), deleted), true, record.Failed, infra, ReasonDeleted, "deleted"},
		{"deleted, and no result", nil, status(corev1.PodRunning, main(runs()), deleted), true, record.Failed, infra, ReasonDeleted, "deleted"},
		{"never seen again", nil, status(corev1.PodRunning, main(runs())), true, record.Failed, infra, ReasonDeleted, "deleted"},
		{"preempted", shutdown, status(corev1.PodRunning, main(over(1, "Error", "")), deleted, cond(corev1.DisruptionTarget, "True", "PreemptionByScheduler", "for x")), true, record.Failed, infra, "PreemptionByScheduler", "for x"},
		{"drained", nil, status(corev1.PodRunning, main(runs()), deleted, cond(corev1.DisruptionTarget, "True", "EvictionByEvictionAPI", "")), true, record.Failed, infra, "EvictionByEvictionAPI", "EvictionByEvictionAPI"},
		{"the node's memory", shutdown, status(corev1.PodFailed, reason("Evicted", "The node was low on resource: memory. Container main was using 1Gi"), cond(corev1.DisruptionTarget, "True", "TerminationByKubelet", "")), false, record.Failed, infra, ReasonEvicted, "low on resource"},
		{"its own disk", shutdown, status(corev1.PodFailed, reason("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ")), false, record.Failed, user, ReasonEvicted, "1Mi"},
		{"its own volume", nil, status(corev1.PodFailed, reason("Evicted", `Usage of EmptyDir volume "x" exceeds the limit "1Mi". `)), false, record.Failed, user, ReasonEvicted, "EmptyDir"},
		{"too long a pod", shutdown, status(corev1.PodFailed, reason("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"), main(over(143, "Error", ""))), false, record.TimedOut, user, ReasonDeadline, "activeDeadlineSeconds"},
		{"no room on the node", nil, status(corev1.PodFailed, reason("OutOfcpu", "Node didn't have enough resource: cpu")), false, record.Failed, infra, ReasonRefused, "OutOfcpu: Node didn't"},
		{"the node was shut down", nil, status(corev1.PodFailed, reason("Terminated", "Pod was terminated in response to imminent node shutdown."), main(over(137, "Error", ""))), false, record.Failed, infra, record.ReasonShutdown, "shut down"},
		{"the wrapper was killed", nil, status(corev1.PodFailed, main(over(137, "Error", ""))), false, record.Failed, infra, record.ReasonLost, "exit code 137, killed"},
		{"the wrapper says why", nil, status(corev1.PodFailed, main(over(3, "Error", told))), false, record.Failed, infra, record.ReasonStore, "no bucket"},
		{"the result that it speaks of isn't there", nil, status(corev1.PodFailed, main(over(7, "Error", promised))), false, record.Failed, infra, record.ReasonLost, "without a result"},
		{"the wrapper has panicked", nil, status(corev1.PodFailed, main(over(2, "Error", ""))), false, record.Failed, user, record.ReasonInternal, "internal error of pipec in the agent"},
		{"the wrapper's own memory", nil, status(corev1.PodFailed, main(over(2, "Error", "fatal error: runtime: out of memory"))), false, record.Failed, infra, record.ReasonLost, "exit code 2"},
		{"no such program", nil, status(corev1.PodFailed, main(over(128, "StartError", "exec: no such file"))), false, record.Failed, user, record.ReasonStart, "no such file"},
		{"its init container", nil, status(corev1.PodFailed, initEnded("mine", over(4, "Error", ""))), false, record.Failed, user, record.ReasonStart, `"mine" ended: exit code 4`},
		{"the agent's init container", nil, status(corev1.PodFailed, initEnded(kube.ContainerAgent, over(3, "Error", ""))), false, record.Failed, infra, record.ReasonStart, "agent"},
		{"the cluster's end", nil, status(corev1.PodFailed, main(runs()), cond(corev1.DisruptionTarget, "True", "DeletionByPodGC", "node is gone")), false, record.Failed, infra, "DeletionByPodGC", "node is gone"},
	} {
		s := Of(c.pod)
		r := Verdict(c.result, &s, c.gone)
		if r.Status != c.status || r.Class != c.class || r.Reason != c.reason || !strings.Contains(r.Message, c.message) {
			t.Errorf("%s: %s, %s, %s: %s", c.name, r.Status, r.Class, r.Reason, r.Message)
		}
		if c.result != nil && c.result.Message != "own words" {
			t.Errorf("%s: the committed result was changed", c.name)
		}
	}
}

func FuzzVerdict(f *testing.F) {
	f.Add("Failed", "Evicted", "Usage of EmptyDir volume", "OOMKilled", `{"status":"failed"}`, int32(137), true)
	f.Fuzz(func(t *testing.T, phase, why, message, container, termination string, code int32, gone bool) {
		s := Of(status(corev1.PodPhase(phase), reason(why, message), main(over(code, container, termination))))
		if r := Verdict(nil, &s, gone); r.Status == record.Succeeded || r.Reason == "" && r.Message == "" && !strings.Contains(termination, "status") {
			t.Errorf("%+v", r)
		}
	})
}

// TestUnknown: a node that doesn't report on a pod is silent, whether the pod has started or not.
func TestUnknown(t *testing.T) {
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, started := range []bool{false, true} {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(created)}, Status: corev1.PodStatus{Phase: corev1.PodUnknown}}
		if started {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: kube.ContainerMain, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(created.Add(time.Minute))}}}}
		}
		if s := Of(p); s.Silent.IsZero() || s.Ends() {
			t.Errorf("started %v: %+v", started, s)
		}
	}
	if s := Of(&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodUnknown}}); s.Silent.IsZero() {
		t.Errorf("without a time: %+v", s)
	}
}
