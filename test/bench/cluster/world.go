package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"pipec.dev/pipec/internal/testcluster"
)

const bucket = "bench"

// world is a namespace of the test cluster, and a project for it.
type world struct {
	*testcluster.Bench
	client    kubernetes.Interface
	namespace string
	dir       string // the project, beside pipec and its agent in bin
	environ   []string
	image     string
	audit     string
}

func newWorld(ctx context.Context) (_ *world, err error) {
	b, err := testcluster.NewBench(ctx, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	if err != nil {
		return nil, err
	}
	c := b.Cluster
	w := &world{Bench: b, client: b.API, namespace: b.Namespace, image: c.Busybox("1"), audit: c.AuditLog}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "store"}, StringData: c.StoreKeys()}
	if _, err = w.client.CoreV1().Secrets(w.namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	if err = c.MakeBucket(ctx, bucket); err != nil {
		return nil, err
	}
	if w.dir, err = os.MkdirTemp("", "pipec-bench-"); err != nil {
		return nil, err
	}
	w.environ = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig, "PIPEC_STACK=k8s", "CI=", "AWS_REGION="+c.S3Region,
		"AWS_ACCESS_KEY_ID="+c.S3AccessKey, "AWS_SECRET_ACCESS_KEY="+c.S3SecretKey)
	for _, name := range []string{"pipec", "pipec-agent"} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(w.dir, "bin", name), "./cmd/"+name)
		build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err = build.Run(); err != nil {
			return nil, err
		}
	}
	return w, os.WriteFile(filepath.Join(w.dir, "bench.pipec.hcl"), []byte(w.source()), 0o644)
}

// close leaves nothing behind but what is in the bucket.
func (w *world) close() {
	w.Close()
	_ = os.RemoveAll(w.dir)
}

// source is the project: a pipeline for each shape.
func (w *world) source() string {
	var b strings.Builder
	b.WriteString("variable \"wrapper\" { type = string }\n")
	b.WriteString(testcluster.Stack{Namespace: w.namespace, Bucket: bucket, Secret: "store", Orchestrator: []string{"wrapper = var.wrapper"}}.Text(w.Cluster))
	for _, s := range shapes() {
		fmt.Fprintf(&b, "pipeline %q {\n  image = %q\n", s.name, w.image)
		for _, step := range s.steps {
			fmt.Fprintf(&b, "  step %q {\n    command = [\"true\"]\n", step)
			if needs := s.needs[step]; needs != nil {
				fmt.Fprintf(&b, "    depends_on = [step.%s]\n", strings.Join(needs, ", step."))
			}
			b.WriteString("  }\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// pipec runs a command in the project, and reports its output only if it fails.
func (w *world) pipec(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(w.dir, "bin", "pipec"), args...)
	cmd.Dir, cmd.Env = w.dir, w.environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pipec %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// apply applies all pipelines with one way of getting the wrapper in.
func (w *world) apply(ctx context.Context, wrapper string) error {
	w.environ = append(w.environ, "PIPEC_VAR_wrapper="+wrapper)
	return w.pipec(ctx, "apply", "--yes")
}
