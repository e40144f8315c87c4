package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/internal/testcluster"
)

// notHere is why an example can't run on the test cluster.
var notHere = map[string]string{"gpu-training": "it asks for a GPU"}

// asIs are examples with public images, which the test cluster can't pull from their registry.
var asIs = map[string]bool{"monorepo": true, "nightly-retraining": true}

var public = regexp.MustCompile(`((?:base|image) +=) "(?:python|debian|busybox):[^"]*"`)

// pulled replaces the public images of a project.
func pulled(t *testing.T, project, image string) {
	t.Helper()
	changed := 0
	err := filepath.WalkDir(project, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".pipec.hcl") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed += len(public.FindAll(text, -1))
		return os.WriteFile(path, public.ReplaceAll(text, []byte(`$1 "`+image+`"`)), 0o600)
	})
	if err != nil || changed == 0 {
		t.Fatalf("%d images have another place: %v", changed, err)
	}
}

// bucket holds the stores of all examples.
const bucket = "examples"

// TestExamplesOnCluster runs the examples with their stacks "k8s", which variables of the stacks redirect to the test
// cluster. The outcome must be the same as on this machine. Their images are built from Debian's packages, with
// everything that they import.
func TestExamplesOnCluster(t *testing.T) {
	c := testcluster.Env(t)
	if err := c.MakeBucket(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	bin := testcluster.Binaries(t)
	image := c.Registry + "/examples/debian:1"
	if out, err := exec.Command("../../scripts/digits-image.sh", image).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, runs := range want {
		if notHere[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := copied(t, filepath.Join("../../examples", name))
			if asIs[name] {
				pulled(t, project, image)
			}
			e := &onCluster{Cluster: c, name: name, bin: bin, project: project, environ: led(t, c, image)}
			e.images(t, image)
			for _, w := range runs {
				args := []string{"run", "-o", "json"}
				for _, p := range w.params {
					args = append(args, "--param", p)
				}
				w.check(t, strings.Join(w.params, ","), e.pipec(t, args...))
			}
		})
	}
}

// onCluster is an example in a namespace of its own.
type onCluster struct {
	testcluster.Cluster
	name, bin, project string
	environ            []string
}

func (e *onCluster) pipec(t *testing.T, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := e.command(ctx, args...)
	var out, stderr bytes.Buffer
	approver := answering(t, e.name, cmd, &out, func(args ...string) *exec.Cmd {
		return e.command(ctx, append([]string{"approve"}, args...)...)
	})
	cmd.Stderr, cmd.Stdout = &stderr, approver
	err := cmd.Run()
	approver.answers.Wait()
	if err != nil {
		t.Fatalf("pipec %s: %v\n%s\n%s", strings.Join(args, " "), err, out.Bytes(), stderr.Bytes())
	}
	return out.Bytes()
}

func (e *onCluster) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(e.bin, "pipec"), append([]string{"-C", e.project}, args...)...)
	cmd.Env = e.environ
	return cmd
}

// images pushes the images that the project would have built, to the references where pipec expects them.
func (e *onCluster) images(t *testing.T, image string) {
	var items []struct {
		Kind, Ref string
		Built     bool
	}
	if err := json.Unmarshal(e.pipec(t, "push", "--list", "-o", "json"), &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if item.Kind != "image" || !item.Built {
			continue
		}
		if err := crane.Copy(image, item.Ref, crane.Insecure); err != nil {
			t.Fatal(err)
		}
	}
}

// led returns an environment that redirects the stack "k8s" of an example to a new namespace of the test cluster.
func led(t *testing.T, c testcluster.Cluster, debian string) []string {
	t.Helper()
	namespace := c.Namespace(t)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "store"},
		StringData: map[string]string{"AWS_ACCESS_KEY_ID": c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": c.S3SecretKey},
	}
	if _, err := c.Client(t).CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(),
		"KUBECONFIG="+c.Kubeconfig, "AWS_ACCESS_KEY_ID="+c.S3AccessKey, "AWS_SECRET_ACCESS_KEY="+c.S3SecretKey, "AWS_REGION="+c.S3Region,
		"PIPEC_STACK=k8s", "PIPEC_VAR_context=admin", "PIPEC_VAR_namespace="+namespace, "PIPEC_VAR_kubernetes_version=1.37",
		fmt.Sprintf("PIPEC_VAR_store=s3://%s/%s", bucket, namespace), "PIPEC_VAR_s3_endpoint="+c.S3, "PIPEC_VAR_s3_secret=store",
		"PIPEC_VAR_registry="+c.Registry+"/examples", "PIPEC_VAR_debian="+debian)
}
