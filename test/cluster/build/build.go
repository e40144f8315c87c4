// Package build builds the cluster's binaries from their sources in Go's module mirror, and stores them by the digest of
// their sources: the same sources are never built twice, and an outdated binary is never used.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"pipec.dev/pipec/test/cluster/flock"
)

// kubernetes is the module whose version the API server calls its own.
const kubernetes = "k8s.io/kubernetes"

// aliases are the names that the binary of ./kube is called by.
var aliases = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl", "etcd"}

// A Plan is what is to be built, from the module of the test cluster.
type Plan struct {
	source  string // the module's directory
	cache   string
	version string   // of Kubernetes
	others  []string // the packages of the other programs: the module's tools
	Key     string   // the digest of all that the binaries are made from
}

// NewPlan reads the module in the directory source. The binaries go below the directory cache.
func NewPlan(source, cache string) (*Plan, error) {
	p := &Plan{source: source, cache: cache}
	text, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range mod.Require {
		if r.Mod.Path == kubernetes {
			p.version = r.Mod.Version
		}
	}
	for _, t := range mod.Tool {
		p.others = append(p.others, t.Path)
	}
	toolchain, err := exec.Command("go", "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	sum := sha256.New()
	sum.Write(toolchain)
	fmt.Fprintln(sum, p.kubeFlags(), commonFlags, aliases)
	for _, name := range []string{"go.mod", "go.sum", "kube/main.go", "image/pause/main.go"} {
		file, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(sum, name, len(file))
		sum.Write(file)
	}
	p.Key = hex.EncodeToString(sum.Sum(nil))[:16]
	return p, nil
}

// Bin returns the directory of the binaries, built or not.
func (p *Plan) Bin() string { return filepath.Join(p.cache, p.Key) }

// Built reports whether the binaries exist.
func (p *Plan) Built() bool {
	_, err := os.Stat(p.Bin())
	return err == nil
}

var commonFlags = []string{"-trimpath", "-ldflags=-s -w"}

func (p *Plan) kubeFlags() []string {
	return []string{"-trimpath", "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=" + p.version}
}

// Build builds the binaries if they don't exist, and reports progress on out. All of them appear at once.
func (p *Plan) Build(ctx context.Context, out io.Writer) error {
	if p.Built() {
		return nil
	}
	if err := os.MkdirAll(p.cache, 0o755); err != nil {
		return err
	}
	release, err := flock.Take(ctx, filepath.Join(p.cache, "lock"), func() {
		fmt.Fprintln(out, "waiting for another process that builds the test cluster")
	})
	if err != nil {
		return err
	}
	defer release()
	if p.Built() { // the other built the same
		return nil
	}
	dir := filepath.Join(p.cache, "building")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(out, "building Kubernetes %s, etcd, containerd and an S3 server: about 8 minutes on two cores, once (kept in %s)\n", p.version, p.Bin())
	began := time.Now()
	if err := p.goBuild(ctx, append(p.kubeFlags(), "-o", dir+"/kube", "./kube")); err != nil {
		return err
	}
	fmt.Fprintf(out, "  Kubernetes and etcd: built after %s\n", time.Since(began).Round(time.Second))
	others := append([]string{"-o", dir + "/", "./image/pause"}, p.others...)
	if err := p.goBuild(ctx, append(slices.Clone(commonFlags), others...)); err != nil {
		return err
	}
	fmt.Fprintf(out, "  all: built after %s\n", time.Since(began).Round(time.Second))
	for _, name := range aliases {
		if err := os.Symlink("kube", filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return os.Rename(dir, p.Bin())
}

// goBuild runs go build in the module. The binaries are static.
func (p *Plan) goBuild(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
	cmd.Dir = p.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", p.source, err, strings.TrimSpace(string(text)))
	}
	return nil
}
