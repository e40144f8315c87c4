package cluster

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/schema/record"
)

// server is an S3 server of a test's own, which pods reach, too.
type server struct {
	t   *testing.T
	c   testcluster.Cluster
	url string
	dir string
	cmd *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, c: testcluster.Env(t), dir: t.TempDir()}
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	s.url = "http://10.77.0.1:" + port
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) start() {
	s.t.Helper()
	// setpriv has the kernel kill the server if this process dies before it can stop it.
	s.cmd = exec.Command("nsenter", "--net=/var/run/netns/pipec", "setpriv", "--pdeathsig", "KILL", filepath.Join(filepath.Dir(s.c.Kubectl), "versitygw"),
		"--port", s.url[len("http://"):], "--region", s.c.S3Region, "--health", "/health", "--quiet", "--keep-alive", "posix", s.dir)
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.c.S3AccessKey, "ROOT_SECRET_KEY="+s.c.S3SecretKey)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	if !eventually.Holds(patient, func() bool {
		answer, err := http.Get(s.url + "/health")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}) {
		s.t.Fatal("the S3 server is not ready")
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	_ = s.cmd.Wait()
}

// outage stops the server for a while.
func (s *server) outage(d time.Duration) {
	s.stop()
	<-time.After(d)
	s.start()
}

// TestShortOutage: the store is away for 30 s, in which steps end. It costs nothing but time.
func TestShortOutage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newProject(t, s.url, chains(3, 2, "10"), "")
	r := p.start()
	p.runningPod("c2_0")
	s.outage(30 * time.Second)
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
	s := newServer(t)
	p := newProject(t, s.url, `  step "a" { command = ["sleep", "5"] }`, `store_grace = "20s"`)
	r := p.start()
	p.runningPod("a")
	s.outage(90 * time.Second)
	code, out := r.wait()
	end := p.end()
	if len(end.Steps) != 1 || end.Status != record.Succeeded && end.Status != record.Failed {
		t.Fatalf("%+v\n%s", end, out)
	}
	t.Logf("the command ended with %d, the run %s %s after %d attempts: %s", code, end.Status, end.Reason, end.Steps[0].Attempts, end.Steps[0].Message)
	p.judge(expected{end.Status, map[string]int{"a": end.Steps[0].Attempts}})
}
