package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// TestKilled: the coordinator of a run is killed several times: its process, which its container restarts, and its pod,
// which the Job replaces. No step runs twice.
func TestKilled(t *testing.T) {
	t.Parallel()
	kill(t, chains(3, 3, "1"), 3)
}

// TestKilledOften is TestKilled with 20 moments of a run of 60 steps. Every fifth time the pod is killed, and else the process:
// Kubernetes waits twice as long before each restart of one container, from 10 s to 5 min, and before each replacement of a
// pod of one Job, from 10 s to 10 min. So all restarts together take about 8 minutes, and not hours.
func TestKilledOften(t *testing.T) {
	if !*long {
		return
	}
	t.Parallel()
	kill(t, chains(6, 10, "0.5"), 20)
}

// kill kills the coordinator at moments that are spread over the run: each time some more steps have ended.
func kill(t *testing.T, pipeline string, times int) {
	p := newProject(t, "", pipeline)
	r := p.start()
	steps, killed := strings.Count(pipeline, "step \""), 0
	kinds := []func(corev1.Pod) error{p.killProcess, p.deletePod, p.forceDelete}
	if times > len(kinds) {
		kinds = []func(corev1.Pod) error{
			p.killProcess, p.killProcess, p.killProcess, p.killProcess, p.evict,
			p.killProcess, p.killProcess, p.killProcess, p.killProcess, p.deletePod,
			p.killProcess, p.killProcess, p.killProcess, p.killProcess, p.forceDelete,
		}
	}
	for i := range times {
		p.await(fmt.Sprintf("%d ended steps", i*steps/times), func() bool { return p.ended() >= i*steps/times })
		if !p.killCoordinator(kinds[i%len(kinds)]) {
			break // the run has ended meanwhile
		}
		killed++
	}
	if killed < times-(times+1)/4 { // the run may end before the last one
		t.Errorf("a coordinator was killed %d times, expected about %d", killed, times)
	}
	if code, out := r.wait(); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	p.judge(expected{status: record.Succeeded})
}

// killCoordinator waits until a coordinator runs, and kills it; false: the run has ended.
func (p *project) killCoordinator(kill func(corev1.Pod) error) bool {
	p.t.Helper()
	alive := true
	p.await("a coordinator that can be killed", func() bool {
		var pod corev1.Pod
		if pod, alive = p.aliveCoordinator(); !alive {
			return true
		}
		return kill(pod) == nil // else the coordinator has ended, and its pod does not report it yet
	})
	return alive
}

func (p *project) deletePod(pod corev1.Pod) error {
	return p.client.CoreV1().Pods(p.ns).Delete(p.t.Context(), pod.Name, metav1.DeleteOptions{})
}

func (p *project) forceDelete(pod corev1.Pod) error {
	return p.client.CoreV1().Pods(p.ns).Delete(p.t.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
}

func (p *project) evict(pod corev1.Pod) error {
	return p.client.PolicyV1().Evictions(p.ns).Evict(p.t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: p.ns}})
}

// ended returns how many pods of steps have ended.
func (p *project) ended() int {
	n := 0
	for _, pod := range p.pods("step") {
		if pod.Status.Phase == corev1.PodSucceeded {
			n++
		}
	}
	return n
}

// aliveCoordinator waits until a coordinator runs; false: the run has ended, so none will.
func (p *project) aliveCoordinator() (corev1.Pod, bool) {
	p.t.Helper()
	var found corev1.Pod
	over := false
	p.await("a running coordinator", func() bool {
		job, err := p.client.BatchV1().Jobs(p.ns).Get(context.Background(), p.job(), metav1.GetOptions{})
		over = err == nil && job.Status.CompletionTime != nil
		for _, pod := range p.pods(kube.ComponentCoordinator) {
			if s := pod.Status.ContainerStatuses; pod.DeletionTimestamp == nil && len(s) > 0 && s[0].State.Running != nil {
				found = pod
				return true
			}
		}
		return over
	})
	return found, found.Name != ""
}

// killProcess kills the coordinator's process in a pod: its container is restarted in place.
func (p *project) killProcess(pod corev1.Pod) error {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		line, _ := os.ReadFile(dir + "/cmdline")
		group, _ := os.ReadFile(dir + "/cgroup")
		if !bytes.Contains(line, []byte("\x00coordinate")) || !bytes.Contains(group, []byte(pod.UID)) {
			continue
		}
		var pid int
		if _, err := fmt.Sscan(filepath.Base(dir), &pid); err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return fmt.Errorf("the pod %s has no process of a coordinator", pod.Name)
}

// TestPartition: a coordinator loses its network to the API server. It is taken out of its Job, which starts another one.
// That one waits for the Lease, and takes the run over. Then the first one gets its network back: it creates nothing more.
func TestPartition(t *testing.T) {
	t.Parallel()
	p := newProject(t, "", chains(2, 3, "15"))
	r := p.start()
	p.runningPod("c0_0")
	first, _ := p.aliveCoordinator()
	rule := []string{"INPUT", "-s", first.Status.PodIP, "-p", "tcp", "--dport", "6443", "-j", "DROP"}
	iptables(t, "-I", rule)
	t.Cleanup(func() { _ = iptablesCommand("-D", rule).Run() }) // if the test has failed before
	orphan := []byte(`{"metadata":{"ownerReferences":null,"labels":{"batch.kubernetes.io/controller-uid":null,"controller-uid":null}}}`)
	if _, err := p.client.CoreV1().Pods(p.ns).Patch(t.Context(), first.Name, types.MergePatchType, orphan, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	p.await("the takeover", func() bool { return p.holder() != "" && !strings.HasPrefix(p.holder(), first.Name+"/") })
	iptables(t, "-D", rule)
	if code, out := r.wait(); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	p.judge(expected{status: record.Succeeded})
}

// holder returns the holder of the run's Lease.
func (p *project) holder() string {
	lease, err := p.client.CoordinationV1().Leases(p.ns).Get(context.Background(), p.job(), metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func iptablesCommand(action string, rule []string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=/var/run/netns/pipec", "iptables", "-w", action}, rule...)...)
}

func iptables(t *testing.T, action string, rule []string) {
	t.Helper()
	if out, err := iptablesCommand(action, rule).CombinedOutput(); err != nil {
		t.Fatalf("iptables: %v: %s", err, out)
	}
}

// TestLease: somebody deletes the Lease of a run. The coordinator creates it again, and continues.
func TestLease(t *testing.T) {
	t.Parallel()
	p := newProject(t, "", chains(1, 2, "30"))
	r := p.start()
	p.runningPod("c0_0")
	if err := p.client.CoordinationV1().Leases(p.ns).Delete(t.Context(), p.job(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.await("another Lease", func() bool { return p.holder() != "" })
	if code, out := r.wait(); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	p.judge(expected{status: record.Succeeded})
}

// TestClock: the coordinator's clock is an hour ahead or behind when it renews its Lease, and its node is lost with it. Its
// successor waits for as long as usual, because it measures the age of a Lease by its own clock.
func TestClock(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			p := newProject(t, "", chains(1, 2, "30"))
			r := p.start()
			p.runningPod("c0_0")
			first, _ := p.aliveCoordinator()
			leases := p.client.CoordinationV1().Leases(p.ns)
			p.await("a Lease with another time, and the end of its holder", func() bool {
				lease, err := leases.Get(t.Context(), p.job(), metav1.GetOptions{})
				if err != nil {
					return false
				}
				at := metav1.NewMicroTime(time.Now().Add(off))
				lease.Spec.RenewTime = &at
				if _, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{}); err != nil {
					return false // the coordinator was faster
				}
				return p.killProcess(first) == nil && p.forceDelete(first) == nil
			})
			p.await("the takeover", func() bool { return p.holder() != "" && !strings.HasPrefix(p.holder(), first.Name+"/") })
			if code, out := r.wait(); code != 0 {
				t.Errorf("exit status %d\n%s", code, out)
			}
			p.judge(expected{status: record.Succeeded})
		})
	}
}

// end waits for the end of the run in the records, for runs whose command may end before.
func (p *project) end() *record.End {
	p.t.Helper()
	s := p.store()
	var end *record.End
	p.await("the end of the run", func() bool {
		run, err := history.Run(context.Background(), s, p.ns, "p", p.job())
		if err != nil {
			return false
		}
		end, err = history.End(context.Background(), s, run)
		return err == nil && end != nil
	})
	return end
}
