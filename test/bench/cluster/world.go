package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"pipec.dev/pipec/internal/testcluster"
)

const bucket = "bench"

// world is a namespace of the test cluster, and a project for it.
type world struct {
	cluster   testcluster.Cluster
	client    kubernetes.Interface
	namespace string
	dir       string // the project, beside pipec and its agent in bin
	environ   []string
	image     string
	audit     string
}

func newWorld(ctx context.Context) (_ *world, err error) {
	c, ok := testcluster.Find()
	if !ok {
		return nil, errors.New(`it takes the test cluster: make cluster-up, then eval "$(make -s cluster-env)"`)
	}
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	w := &world{cluster: c, image: c.Busybox("1"), audit: c.AuditLog}
	if w.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	ns, err := w.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "bench-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	w.namespace = ns.Name
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "store"}, StringData: map[string]string{
		"AWS_ACCESS_KEY_ID": c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": c.S3SecretKey,
	}}
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
	_ = w.client.CoreV1().Namespaces().Delete(context.Background(), w.namespace, metav1.DeleteOptions{})
	_ = os.RemoveAll(w.dir)
}

// source is the project: a pipeline for each shape.
func (w *world) source() string {
	var b strings.Builder
	fmt.Fprintf(&b, `variable "wrapper" { type = string }
stack "k8s" {
  orchestrator "kubernetes" {
    context            = "admin"
    namespace          = %q
    synchronous        = true
    kubernetes_version = "1.37"
    wrapper            = var.wrapper
  }
  artifact_store "s3" {
    path       = "s3://%s/%s"
    endpoint   = %q
    path_style = true
    secret     = "store"
  }
  container_registry "generic" { uri = "%s/bench" }
}
`, w.namespace, bucket, w.namespace, w.cluster.S3, w.cluster.Registry)
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
