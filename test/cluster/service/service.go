// Package service has the programs of the cluster, one a file: what each is called with, its configuration, and how one
// sees that it is ready. It starts none of them.
package service

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"pipec.dev/pipec/test/cluster/access"
	"pipec.dev/pipec/test/cluster/place"
	"pipec.dev/pipec/test/cluster/process"
)

// A Service is a program of the cluster.
type Service struct {
	process.Program
	// Files are its configuration, by path.
	Files map[string]string
	// Ready returns nil once it does its work.
	Ready func(context.Context) error
	// Patience is how long it is given to be ready, and to end by itself.
	Patience time.Duration
	// Stage is when the service starts: services of earlier stages are ready before.
	Stage int
}

// Stages is how many stages there are; the first is 1.
const Stages = 3

// All returns the services in the order of their start. bin is the directory of the built binaries.
func All(bin string) []Service {
	in := func(name string) string { return filepath.Join(bin, name) }
	return []Service{
		etcd(in("etcd")), containerd(in("containerd")), registry(), s3(in("versitygw")),
		apiserver(in("kube-apiserver")),
		controllers(in("kube-controller-manager")), scheduler(in("kube-scheduler")), kubelet(in("kubelet")),
	}
}

// Digest returns a digest of everything that the services are started from: their binaries, which the names of their
// directories identify, flags and configuration.
func Digest(services []Service) string {
	sum := sha256.New()
	for _, s := range services {
		fmt.Fprintf(sum, "%q %q\n", s.Name, s.Argv)
		for _, path := range slices.Sorted(maps.Keys(s.Files)) {
			fmt.Fprintf(sum, "%q %q\n", path, s.Files[path])
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Configure writes the service's files.
func (s Service) Configure() error {
	for path, text := range s.Files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// answers returns a readiness test: a GET of the URL has status 200.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, resp.Status)
		}
		return nil
	}
}

// apiClient returns a client that trusts the cluster's authority.
func apiClient() (*http.Client, error) {
	ca, err := os.ReadFile(access.File("ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}, nil
}

// Get asks the API as the admin for a path; the answer's status is 200 or it is an error. The caller closes the body.
func Get(ctx context.Context, path string) (*http.Response, error) {
	client, err := apiClient()
	if err != nil {
		return nil, err
	}
	token, err := access.Token()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+place.API+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return resp, nil
}

// has returns a readiness test: the API has the object at the path.
func has(path string) func(context.Context) error {
	return func(ctx context.Context) error {
		resp, err := Get(ctx, path)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}
