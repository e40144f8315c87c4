// Package apiserver starts a Kubernetes API server and its etcd on this machine, from the programs of the test cluster. There
// are no controllers, no scheduler and no node beside it: a test plays them. The test cluster itself is not used.
package apiserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"pipec.dev/pipec/internal/eventually"
)

// The tokens of the users. The second one is of a user without rights.
const (
	Admin   = "admin-token"
	Nobody  = "nobody-token"
	Unknown = "unknown-token" // of no user
)

// patience is how long a program may take to start on a busy machine.
const patience = 5 * time.Minute

// Etcd is a running etcd.
type Etcd struct {
	URL  string
	bin  string
	dir  string
	self *process
}

// Server is a running API server.
type Server struct {
	URL  string
	self *process
}

// onFreePorts calls start, and calls it again if another program has taken a port before the started one could use it.
func onFreePorts[T any](start func() (T, error)) (started T, err error) {
	for range 3 {
		started, err = start()
		if err == nil || !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	return started, err
}

// StartEtcd starts an etcd with its files in dir. bin is the directory of the programs.
func StartEtcd(bin, dir string) (*Etcd, error) {
	return onFreePorts(func() (*Etcd, error) { return startEtcd(bin, dir) })
}

func startEtcd(bin, dir string) (*Etcd, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	e := &Etcd{URL: "http://" + ports[0], bin: bin, dir: dir}
	peer := "http://" + ports[1]
	e.self, err = start(filepath.Join(dir, "etcd.log"), filepath.Join(bin, "etcd"),
		"--name=node", "--data-dir="+filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--logger=zap", "--log-level=warn",
		"--listen-client-urls="+e.URL, "--advertise-client-urls="+e.URL, "--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer,
		"--initial-cluster=node="+peer)
	if err != nil {
		return nil, err
	}
	return e, e.self.await(http.DefaultClient, e.URL+"/readyz", "")
}

// Stop ends etcd.
func (e *Etcd) Stop() { e.self.stop() }

// StartServer starts an API server with the content of etcd. gates are feature gates, such as "WatchList=false".
func (e *Etcd) StartServer(name string, gates ...string) (*Server, error) {
	return onFreePorts(func() (*Server, error) { return e.startServer(name, gates) })
}

func (e *Etcd) startServer(name string, gates []string) (*Server, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	file := func(s string) string { return filepath.Join(e.dir, name+s) }
	tokens := Admin + ",admin,admin,system:masters\n" + Nobody + ",nobody,nobody\n"
	if err := os.WriteFile(file(".tokens"), []byte(tokens), 0o600); err != nil {
		return nil, err
	}
	if err := writeKey(file(".key")); err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(ports[0], ":")
	argv := []string{
		filepath.Join(e.bin, "kube-apiserver"), "--etcd-servers=" + e.URL, "--bind-address=127.0.0.1", "--secure-port=" + port, "--cert-dir=" + file(".certs"),
		"--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none", "--anonymous-auth=false", "--profiling=false",
		"--token-auth-file=" + file(".tokens"), "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + file(".key"), "--service-account-signing-key-file=" + file(".key"),
	}
	if len(gates) > 0 {
		argv = append(argv, "--feature-gates="+strings.Join(gates, ","))
	}
	s := &Server{URL: "https://" + ports[0]}
	if s.self, err = start(file(".log"), argv...); err != nil {
		return nil, err
	}
	return s, s.self.await(s.client(), s.URL+"/readyz", Admin)
}

// Stop ends the server.
func (s *Server) Stop() { s.self.stop() }

func (s *Server) client() *http.Client { return &http.Client{Transport: s.Transport()} }

// Transport returns a new transport to the server. Its certificate is its own, and is not verified.
func (s *Server) Transport() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64}
}

// Config is the configuration of a client with the rights of an administrator.
func (s *Server) Config() *rest.Config {
	return &rest.Config{Host: s.URL, BearerToken: Admin, QPS: -1, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
}

// await waits until an address is ready.
func (p *process) await(client *http.Client, url, token string) error {
	defer client.CloseIdleConnections()
	if eventually.Holds(patience, func() bool { return p.dead() || ready(client, url, token) }) && !p.dead() {
		return nil
	}
	p.stop()
	log, _ := os.ReadFile(p.log)
	return fmt.Errorf("%s is not ready: %s", p.cmd.Path, log[max(0, len(log)-2000):])
}

func ready(client *http.Client, url, token string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// freePorts returns addresses at which no program listens.
func freePorts(n int) ([]string, error) {
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		out = append(out, l.Addr().String())
	}
	return out, nil
}

// writeKey writes the key that signs the tokens of service accounts.
func writeKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}
