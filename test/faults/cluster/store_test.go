package cluster

import (
	"testing"
	"time"

	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/schema/record"
)

// outage stops an S3 server for a while.
func outage(g *testcluster.Gateway, d time.Duration) {
	g.Stop()
	<-time.After(d)
	g.Start()
}

// TestShortOutage: the store is away for 30 s, in which steps end. It costs nothing but time.
func TestShortOutage(t *testing.T) {
	t.Parallel()
	s := testcluster.Env(t).NewGateway(t)
	p := newProject(t, s.URL, chains(3, 2, "10"))
	r := p.start()
	p.runningPod("c2_0")
	outage(s, 30*time.Second)
	if code, out := r.wait(); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	p.judge(expected{status: record.Succeeded})
}

// TestLongOutage: the store is away for longer than the stack's store_grace when a step ends. The run fails because of the
// infrastructure, or a further attempt succeeds when the store is back; it ends, and nothing runs on.
func TestLongOutage(t *testing.T) {
	if !*long {
		return
	}
	t.Parallel()
	s := testcluster.Env(t).NewGateway(t)
	p := newProject(t, s.URL, `  step "a" { command = ["sleep", "5"] }`, `store_grace = "20s"`)
	r := p.start()
	p.runningPod("a")
	outage(s, 90*time.Second)
	code, out := r.wait()
	end := p.end()
	if len(end.Steps) != 1 || end.Status != record.Succeeded && end.Status != record.Failed {
		t.Fatalf("%+v\n%s", end, out)
	}
	t.Logf("the command ended with %d, the run %s %s after %d attempts: %s", code, end.Status, end.Reason, end.Steps[0].Attempts, end.Steps[0].Message)
	p.judge(expected{end.Status, map[string]int{"a": end.Steps[0].Attempts}})
}
