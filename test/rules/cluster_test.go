package rules

import (
	"context"
	"os"
	"path/filepath"
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

// TestCluster runs the cases on the test cluster, each in a namespace of its own, so that names don't conflict.
func TestCluster(t *testing.T) {
	c := testcluster.Env(t)
	if err := c.MakeBucket(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	bin := testcluster.Binaries(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	t.Cleanup(cancel) // after the cases have ended, which run in parallel
	slots := make(chan struct{}, atATime)
	for _, one := range load(t) {
		if one.Only == "local" {
			continue // the case has the reason
		}
		t.Run(one.Name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			got, err := onCluster(ctx, t, c, bin, one)
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			compare(t, one, got, *update && one.Only == "cluster")
		})
	}
}

// onCluster runs a case in a namespace of its own.
func onCluster(ctx context.Context, t *testing.T, c testcluster.Cluster, bin string, one *rules.Case) (string, error) {
	t.Helper()
	namespace := c.Namespace(t)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "pipec-store"},
		StringData: c.StoreKeys(),
	}
	if _, err := c.Client(t).CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		return "", err
	}
	kubeconfig, err := inNamespace(c.Kubeconfig, namespace, t.TempDir())
	if err != nil {
		return "", err
	}
	w := &world{
		driver: "cluster", bin: bin, image: c.Busybox("1"),
		stack: testcluster.Stack{Namespace: namespace, Bucket: bucket, Secret: "pipec-store"}.Text(c),
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
