package testcluster

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
)

// Gateway is an S3 server of a test's own. Pods reach it, too.
type Gateway struct {
	URL string

	t   testing.TB
	c   Cluster
	dir string
	iam string // the URL of the server of identities; "": there is only one identity, with all rights
	cmd *exec.Cmd
}

// NewGateway starts an S3 server with the keys of the test cluster's. It ends with the test.
func (c Cluster) NewGateway(t testing.TB) *Gateway {
	t.Helper()
	g := &Gateway{t: t, c: c, dir: t.TempDir(), URL: "http://10.77.0.1:" + freePort(t)}
	g.Start()
	t.Cleanup(g.Stop)
	return g
}

// NewGuardedGateway starts an S3 server that enforces the policies of identities (see Identity). The keys of the test cluster
// have all rights.
func (c Cluster) NewGuardedGateway(t testing.TB) *Gateway {
	t.Helper()
	g := &Gateway{t: t, c: c, dir: t.TempDir(), URL: "http://10.77.0.1:" + freePort(t), iam: "http://127.0.0.1:" + freePort(t)}
	identities := filepath.Join(g.dir, "identities")
	for _, dir := range []string{identities, g.data()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	server := g.program(g.iam, "iam", "--quiet", "--dir", identities, "--private-ports", g.socket())
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(server) })
	awaitHealth(t, g.iam)
	g.Start()
	t.Cleanup(g.Stop)
	return g
}

func freePort(t testing.TB) string {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// data is where the buckets are.
func (g *Gateway) data() string {
	if g.iam == "" {
		return g.dir
	}
	return filepath.Join(g.dir, "buckets")
}

// socket is where the S3 server asks what an identity may do.
func (g *Gateway) socket() string { return filepath.Join(g.dir, "iam.sock") }

// program returns the server at a URL. setpriv has the kernel kill it if this process dies before it can end it.
func (g *Gateway) program(url string, args ...string) *exec.Cmd {
	argv := append([]string{"--pdeathsig", "KILL", filepath.Join(filepath.Dir(g.c.Kubectl), "versitygw"),
		"--port", url[len("http://"):], "--region", g.c.S3Region, "--health", "/health", "--quiet", "--keep-alive"}, args...)
	cmd := exec.Command("setpriv", argv...)
	if url == g.URL { // in the network of the pods
		cmd = exec.Command("nsenter", append([]string{"--net=/var/run/netns/pipec", "setpriv"}, argv...)...)
	}
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+g.c.S3AccessKey, "ROOT_SECRET_KEY="+g.c.S3SecretKey)
	return cmd
}

// Start starts the server, and waits until it is ready.
func (g *Gateway) Start() {
	g.t.Helper()
	var args []string
	if g.iam != "" {
		args = []string{"--iam-standalone-endpoint", g.socket()}
	}
	g.cmd = g.program(g.URL, append(args, "posix", g.data())...)
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	awaitHealth(g.t, g.URL)
}

// Stop kills the server. Its buckets remain until the test ends.
func (g *Gateway) Stop() { end(g.cmd) }

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
}

func awaitHealth(t testing.TB, url string) {
	t.Helper()
	if !eventually.Holds(5*time.Minute, func() bool {
		answer, err := http.Get(url + "/health")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}) {
		t.Fatalf("the server at %s is not ready", url)
	}
}
