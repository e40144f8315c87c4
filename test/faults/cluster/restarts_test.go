package cluster

import (
	"flag"
	"os/exec"
	"testing"

	"pipec.dev/pipec/schema/record"
)

var (
	restarts = flag.Bool("restarts", false, "restart programs of the cluster, which disturbs all other tests there")
	long     = flag.Bool("long", false, "run the tests that take minutes, too")
)

// TestRestarts: programs of the cluster are restarted while a run has running and waiting steps. It costs no attempt. Without
// -long there is one run for all restarts.
func TestRestarts(t *testing.T) {
	if !*restarts {
		return
	}
	programs := [][]string{{"etcd", "kube-apiserver"}, {"containerd", "kubelet"}, {"kube-controller-manager", "kube-scheduler"}}
	if !*long {
		restart(t, programs...)
		return
	}
	for _, names := range programs {
		t.Run(names[1], func(t *testing.T) { restart(t, names) })
	}
}

// restart restarts programs during a run, one list after the other.
func restart(t *testing.T, programs ...[]string) {
	p := newProject(t, "", chains(3, 2+len(programs), "4"))
	r := p.start()
	p.runningPod("c1_0")
	for _, names := range programs {
		if out, err := exec.Command("../../../scripts/cluster.sh", append([]string{"restart"}, names...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if code, out := r.wait(); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	p.judge(expected{status: record.Succeeded})
}
