package podstate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/record"
)

// readPod reads a pod of testdata. Its annotation states its origin.
func readPod(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var p corev1.Pod
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatalf("%s: %s", name, err)
	}
	if p.Annotations["recorded"] == "" && p.Annotations["source"] == "" {
		t.Errorf("%s: the status has no origin", name)
	}
	return &p
}

// statuses are pods, each with the row that describes it and what follows: how the attempt ends, or what the pod waits for.
var statuses = []struct {
	pod, row string
	ends     string // status, class and reason
	message  string // a part of the message
}{
	{"agent-store", "the agent reports a failure", "failed infrastructure StoreUnavailable", "could not be stored"},
	{"error-message", "the agent reports a failure", "failed infrastructure StoreUnavailable", "no bucket"},
	{"agent-crash", "the agent crashes", "failed user InternalError", "internal error of pipec in the agent"},
	{"agent-promise", "the result is lost", "failed infrastructure ProcessLost", "(exit code 7) without a result"},
	{"agent-promised-success", "the result is lost", "failed infrastructure ProcessLost", "without a result"},
	{"oom-main", "out of memory", "failed user OOMKilled", "memory"},
	{"oom-child-exit1", "out of memory", "failed user OOMKilled", "memory"},
	{"oom-child-exit0", "out of memory", "failed user OOMKilled", "memory"},
	{"start-error-memory", "out of memory at the start", "failed user OOMKilled", "limit too low"},
	{"start-error-node", "the node can't start the container", "failed infrastructure StartError", "deadline exceeded"},
	{"run-absent", "the container can't be started", "failed user StartError", "no such file"},
	{"deadline", "the deadline of the pod", "timed_out user DeadlineExceeded", "activeDeadlineSeconds"},
	{"evict-ephemeral", "evicted because of its own limit", "failed user Evicted", "limit of containers 1Mi"},
	{"evict-emptydir", "evicted because of its own limit", "failed user Evicted", "EmptyDir"},
	{"evict-node-pressure", "evicted", "failed infrastructure Evicted", "low on resource"},
	{"node-shutdown", "the node shuts down", "failed infrastructure Shutdown", "imminent"},
	{"node-shutdown-rejected", "the node shuts down", "failed infrastructure Shutdown", "shutting down"},
	{"preempted-by-node", "preempted by the node", "failed infrastructure Preempting", "critical pod"},
	{"preempt-low", "ended by the cluster", "failed infrastructure PreemptionByScheduler", "higher priority"},
	{"evict-api", "ended by the cluster", "failed infrastructure EvictionByEvictionAPI", "evicting"},
	{"taint", "ended by the cluster", "failed infrastructure DeletionByTaintManager", "taint"},
	{"pod-gc", "ended by the cluster", "failed infrastructure DeletionByPodGC", "no longer exists"},
	{"sysctl-forbidden", "the node does not support the pod", "failed user PodRefused", "SysctlForbidden: Pod was rejected"},
	{"out-of-cpu", "the node rejects the pod", "failed infrastructure PodRefused", "OutOfcpu: Pod was rejected"},
	{"out-of-memory", "the node rejects the pod", "failed infrastructure PodRefused", "OutOfmemory"},
	{"out-of-pods", "the node rejects the pod", "failed infrastructure PodRefused", "OutOfpods"},
	{"node-affinity", "the node rejects the pod", "failed infrastructure PodRefused", "NodeAffinity"},
	{"unexpected-admission-error", "the node rejects the pod", "failed infrastructure PodRefused", "no healthy devices"},
	{"topology-affinity", "the node rejects the pod", "failed infrastructure PodRefused", "Topology"},
	{"deleted", "deleted", "failed infrastructure PodDeleted", "deleted"},
	{"running", "deleted", "failed infrastructure PodDeleted", "deleted"}, // it is gone without a trace
	{"error-64", "the agent rejects its arguments", "failed user InternalError", "another version"},
	{"killed", "the agent ends without a result", "failed infrastructure ProcessLost", "exit code 137, killed"},
	{"completed", "the agent ends without a result", "failed infrastructure ProcessLost", "exit code 0"},
	{"error-7", "the agent ends without a result", "failed infrastructure ProcessLost", "exit code 7"},
	{"agent-environment", "the agent ends without a result", "failed infrastructure ProcessLost", "exit code 3"},
	{"agent-out-of-memory", "the agent ends without a result", "failed infrastructure ProcessLost", "exit code 2"},
	{"poststart", "the agent ends without a result", "failed infrastructure ProcessLost", "exit code 137"},
	{"oom-sidecar-main-ok", "the agent ends without a result", "failed infrastructure ProcessLost", `container "proxy" of its pod ran out of memory`},
	{"oom-sidecar-main-fails", "the agent ends without a result", "failed infrastructure ProcessLost", `container "proxy" of its pod ran out of memory`},
	{"oom-native-sidecar", "the agent ends without a result", "failed infrastructure ProcessLost", `container "proxy" of its pod ran out of memory`},
	{"container-unknown", "the node has lost the container", "failed infrastructure ProcessLost", "lost its container"},
	{"agent-copy", "the agent can't be copied", "failed infrastructure StartError", "exit code 3: no space left"},
	{"oom-init", "an init container runs out of memory", "failed user OOMKilled", `init container "prepare"`},
	{"init-error", "an init container fails", "failed user StartError", `"prepare" ended: exit code 4`},
	{"init-start-error", "an init container fails", "failed user StartError", "no such file"},
	{"init-unknown", "the node has lost the init container", "failed infrastructure ProcessLost", `"prepare"`},
	{"pod-failed", "another end of the pod", "failed infrastructure PodRefused", "FutureReason: no one knows"},
	{"unknown-phase-not-started", "no trace", "failed infrastructure ProcessLost", "there is no result"},

	{"gated", "held by a scheduling gate", "waits user Unschedulable", "scheduling gates"},
	{"unschedulable", "no node has room", "waits user Unschedulable", "Insufficient cpu"},
	{"invalid-image-name", "the image can never be pulled", "waits user ImagePullFailed", "couldn't parse"},
	{"image-never-pull", "the image can never be pulled", "waits user ImagePullFailed", "pull policy of Never"},
	{"registry-unreachable", "the registry can't be reached", "waits infrastructure ImagePullFailed", "connection refused"},
	{"registry-unreachable-back-off", "the registry can't be reached", "waits infrastructure ImagePullFailed", "connection refused"},
	{"registry-busy", "the registry can't be reached", "waits infrastructure ImagePullFailed", "429"},
	{"registry-unavailable", "the registry is unavailable", "waits infrastructure ImagePullFailed", "not available"},
	{"err-image-pull", "the image can't be pulled", "waits user ImagePullFailed", "not found"},
	{"image-pull-back-off", "the image can't be pulled", "waits user ImagePullFailed", "not found"},
	{"image-denied", "the image can't be pulled", "waits user ImagePullFailed", "denied"},
	{"agent-image", "the image can't be pulled", "waits user ImagePullFailed", "pipec-agent"},
	{"create-container-slow", "the node can't create the container", "waits infrastructure ContainerConfigError", "reserved for"},
	{"run-container-error", "the node can't create the container", "waits infrastructure ContainerConfigError", "deadline exceeded"},
	{"config-secret", "the container can't be created", "waits user ContainerConfigError", "not found"},
	{"config-root", "the container can't be created", "waits user ContainerConfigError", "runAsNonRoot"},
	{"create-seccomp", "the container can't be created", "waits user ContainerConfigError", "seccomp"},
	{"crash-loop-back-off", "the container can't be created", "waits user ContainerConfigError", "back-off"},
	{"starting", "nothing is reported", "waits user PendingTimeout", ""},
	{"mount-secret", "nothing is reported", "waits user PendingTimeout", ""},
	{"silent-node", "the node is unreachable", "waits infrastructure NodeLost", ""},
	{"node-lost", "the node is unreachable", "waits infrastructure NodeLost", ""},
	{"unknown-phase", "the node is unreachable", "waits infrastructure NodeLost", ""},
}

// TestTable tests each row of the table with statuses as they occur on clusters, of attempts that left no result.
func TestTable(t *testing.T) {
	tested, used := map[string]bool{}, map[string]bool{}
	for _, c := range statuses {
		tested[c.row], used[c.pod+".json"] = true, true
		p := readPod(t, c.pod)
		s := Of(p)
		if kind, _, _ := strings.Cut(c.ends, " "); kind == "waits" {
			row, text := waitingRow(&s)
			if got := "waits " + string(row.Class) + " " + row.Wait.EndReason(); row.Name != c.row || got != c.ends || !strings.Contains(text, c.message) {
				t.Errorf("%s is %q: %s: %s", c.pod, row.Name, got, text)
			}
			if s.Ends() {
				t.Errorf("%s waits, and has ended", c.pod)
			}
			continue
		}
		gone := !s.Ends() && c.row != "no trace"
		row, _ := view{&s, gone}.ending(func(*Row) bool { return true })
		r := Verdict(nil, &s, gone)
		if got := strings.Join([]string{string(r.Status), string(r.Class), r.Reason}, " "); row.Name != c.row || got != c.ends || !strings.Contains(r.Message, c.message) {
			t.Errorf("%s is %q: %s: %s", c.pod, row.Name, got, r.Message)
		}
		if row.Grows() != (r.Reason == record.ReasonOOM) {
			t.Errorf("%s: more memory %v, reason %s", c.pod, row.Grows(), r.Reason)
		}
	}
	for _, row := range Rows() {
		if !tested[row.Name] && row.Part != Creation { // see TestForbidden
			t.Errorf("no status tests the row %q", row.Name)
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".json") && !used[f.Name()] && f.Name() != "agent-told.json" {
			t.Errorf("no test reads %s", f.Name())
		}
	}
}

// waitingRow returns the row that describes why a pod waits, and what the cluster reports.
func waitingRow(s *State) (*Row, string) {
	text, is := "", func(row *Row) bool { return row.Wait == Starting }
	switch w := s.Waiting; {
	case !s.Silent.IsZero():
		is = func(row *Row) bool { return row.Wait == Lost }
	case w != nil:
		text = w.Message
		is = func(row *Row) bool {
			return row.Part != Creation && row.Wait == w.Kind && row.matches(&cause{reason: w.Reason, message: w.Message})
		}
	}
	for i := range waits {
		if is(&waits[i]) {
			return &waits[i], text
		}
	}
	return &Row{}, text
}

// TestSuccess: nothing that the pod reports changes the success of an attempt.
func TestSuccess(t *testing.T) {
	for _, c := range statuses {
		s := Of(readPod(t, c.pod))
		for _, gone := range []bool{false, true} {
			committed := record.Result{Status: record.Succeeded, Message: "own words"}
			if r := Verdict(&committed, &s, gone); r.Status != record.Succeeded || r.Class != "" || r.Reason != "" || r.Message != "own words" {
				t.Errorf("%s: %+v", c.pod, r)
			}
		}
	}
}

// TestReplaced: what the pod reports replaces the reason of a failure only if the agent could not know it.
func TestReplaced(t *testing.T) {
	const own = "failed user OutputMissing"
	for _, c := range []struct{ pod, reason, ends string }{
		{"oom-child-exit1", record.ReasonError, "failed user OOMKilled"},
		{"oom-main", record.ReasonSignal, "failed user OOMKilled"},
		{"oom-child-exit0", record.ReasonOutputMissing, own},
		{"oom-sidecar-main-fails", record.ReasonError, "failed user Error"},
		{"evict-api", record.ReasonShutdown, "failed infrastructure EvictionByEvictionAPI"},
		{"evict-api", record.ReasonOutputMissing, own},
		{"deadline", record.ReasonShutdown, "timed_out user DeadlineExceeded"},
		{"evict-node-pressure", record.ReasonShutdown, "failed infrastructure Evicted"},
		{"node-shutdown", record.ReasonShutdown, "failed infrastructure Shutdown"},
		{"deleted", record.ReasonShutdown, "failed infrastructure PodDeleted"},
		{"killed", record.ReasonShutdown, "failed infrastructure Shutdown"},
	} {
		committed := record.Result{Status: record.Failed, Class: user, Reason: c.reason, Message: "own words"}
		if c.reason == record.ReasonShutdown {
			committed.Class = infrastructure
		}
		s := Of(readPod(t, c.pod))
		r := Verdict(&committed, &s, false)
		if got := strings.Join([]string{string(r.Status), string(r.Class), r.Reason}, " "); got != c.ends {
			t.Errorf("%s after %s: %s", c.pod, c.reason, got)
		}
		if committed.Reason != c.reason || committed.Message != "own words" {
			t.Errorf("%s: the committed result was changed", c.pod)
		}
	}
	s := Of(readPod(t, "agent-told"))
	if r := Verdict(nil, &s, true); r.Reason != "EvictionByEvictionAPI" {
		t.Errorf("the agent reports that it was stopped, without a result: %+v", r)
	}
	s = Of(readPod(t, "oom-sidecar-main-fails"))
	if r := Verdict(&record.Result{Status: record.Failed, Class: user, Reason: record.ReasonError, Message: "it ended with exit code 7"}, &s, false); r.Message !=
		`it ended with exit code 7; the container "proxy" of its pod ran out of memory` {
		t.Error(r.Message)
	}
}

func TestForbidden(t *testing.T) {
	for message, want := range map[string]Kind{
		`pods "p" is forbidden: exceeded quota: q, requested: cpu=2, used: cpu=0, limited: cpu=1`:                 Quota,
		`pods "p" is forbidden: status unknown for quota: q, resources: cpu`:                                      Quota,
		`pods "p" is forbidden: error looking up service account default/train: serviceaccount "train" not found`: Config,
		`pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "default"`:    Done,
	} {
		got := Done
		if w := Forbidden(message); w != nil {
			got = w.Kind
		}
		if got != want {
			t.Errorf("%s: kind %d", message, got)
		}
	}
}
