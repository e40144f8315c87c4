package rules

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"pipec.dev/pipec/internal/rules"
	"pipec.dev/pipec/internal/testcluster"
)

// bucket holds the stores of all cases, each in a prefix of its own.
const bucket = "rules"

// atATime is how many cases run on the cluster at once: most of what each does is to wait.
const atATime = 8

// TestCluster runs the cases on the test cluster, each in a namespace of its own: names can't get in each other's way.
func TestCluster(t *testing.T) {
	c := testcluster.Env(t)
	if err := c.MakeBucket(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	type result struct {
		got string
		err error
	}
	cases := load(t)
	results := make([]result, len(cases))
	slots := make(chan struct{}, atATime)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for i, one := range cases {
		if one.Only == "local" {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			results[i].got, results[i].err = onCluster(ctx, t, c, one)
			t.Logf("%s: %s", one.Name, time.Since(began).Round(100*time.Millisecond))
		})
	}
	all.Wait()
	for i, one := range cases {
		t.Run(one.Name, func(t *testing.T) {
			switch r := results[i]; {
			case one.Only == "local": // it says why
			case r.err != nil:
				t.Fatalf("%v\n%s", r.err, r.got)
			default:
				compare(t, one, r.got)
			}
		})
	}
}

// onCluster runs a case in a namespace that enforces Pod Security "restricted", and goes in the background afterwards.
func onCluster(ctx context.Context, t *testing.T, c testcluster.Cluster, one *rules.Case) (string, error) {
	client := c.Client(t)
	ns, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "rules-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	defer func() {
		_ = client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
	}()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "pipec-store"},
		StringData: map[string]string{"AWS_ACCESS_KEY_ID": c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": c.S3SecretKey},
	}
	if _, err := client.CoreV1().Secrets(ns.Name).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		return "", err
	}
	kubeconfig, err := inNamespace(c.Kubeconfig, ns.Name, t.TempDir())
	if err != nil {
		return "", err
	}
	w := &world{
		driver: "cluster", image: c.Busybox("1"),
		stack: fmt.Sprintf(stackFile, ns.Name, bucket, ns.Name, c.S3, c.S3Region, c.Registry),
		environ: append(os.Environ(), "PIPEC_STACK=k8s", "KUBECONFIG="+kubeconfig, "NO_COLOR=1", "CI=",
			"PATH="+filepath.Dir(c.Kubectl)+":"+os.Getenv("PATH"),
			"AWS_ACCESS_KEY_ID="+c.S3AccessKey, "AWS_SECRET_ACCESS_KEY="+c.S3SecretKey, "AWS_REGION="+c.S3Region),
	}
	return w.play(ctx, one, dir)
}

// inNamespace writes a kubeconfig of which kubectl takes the case's namespace.
func inNamespace(path, namespace, dir string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "kubeconfig")
	config, err := clientcmd.Load(data)
	if err != nil {
		return "", err
	}
	for _, context := range config.Contexts {
		context.Namespace = namespace
	}
	return out, clientcmd.WriteToFile(*config, out)
}

const stackFile = `stack "k8s" {
  orchestrator "kubernetes" {
    context            = "admin"
    namespace          = %q
    synchronous        = true
    kubernetes_version = "1.37"
  }
  artifact_store "s3" {
    path       = "s3://%s/%s"
    endpoint   = %q
    path_style = true
    region     = %q
    secret     = "pipec-store"
  }
  container_registry "generic" {
    uri = "%s/pipec"
  }
}
`
