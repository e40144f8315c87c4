// Package e2e runs pipec on the test cluster as a user would: projects and commands, one script each in testdata. It tests
// the combination of what the packages' own tests check separately, and uses none of their internals.
package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/schema/kube"
)

// bucket contains the stores of all scripts, each with a prefix of its own.
const bucket = "e2e"

// storeSecret contains the store's credentials for pods.
const storeSecret = "pipec-store"

// TestScript runs testdata/*.txtar. Each has a namespace of its own that enforces Pod Security "restricted", and
// stack.pipec.hcl with the stack "k8s" and the images of the test cluster as locals.
func TestScript(t *testing.T) {
	c := testcluster.Env(t)
	bin := testcluster.Binaries(t)
	if err := c.MakeBucket(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	used := &rights{granted: map[string][]right{}}
	t.Cleanup(func() { used.check(t, c) }) // after all scripts
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            deadline(t),
		Setup:               func(env *testscript.Env) error { return setup(t, c, bin, env, used) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "await": await, "gives": gives, "deploy": deploy,
			"unpack": func(ts *testscript.TestScript, neg bool, args []string) { unpack(ts, bin, neg, args) },
			"guard":  func(ts *testscript.TestScript, neg bool, args []string) { guard(t, c, ts, neg, args) },
			"bake":   func(ts *testscript.TestScript, neg bool, args []string) { bake(ts, bin, neg, args) },
		},
	})
}

// deadline leaves time to report what went wrong.
func deadline(t *testing.T) time.Time {
	if d, ok := t.Deadline(); ok {
		return d.Add(-20 * time.Second)
	}
	return time.Now().Add(20 * time.Minute)
}

// TestMain removes what was built.
func TestMain(m *testing.M) { testcluster.Main(m) }

// setup prepares the environment of a script.
func setup(t *testing.T, c testcluster.Cluster, bin string, env *testscript.Env, used *rights) error {
	client, ctx := c.Client(t), context.Background()
	ns, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "e2e-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	env.Defer(func() { // the deletion runs in the background
		if err := used.note(ctx, client, ns.Name); err != nil {
			t.Error(err)
		}
		_ = client.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{})
	})
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: storeSecret},
		StringData: c.StoreKeys(),
	}
	if _, err := client.CoreV1().Secrets(ns.Name).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"HOME": env.WorkDir, "PATH": bin + ":" + os.Getenv("PATH"), "KUBECONFIG": c.Kubeconfig, "NO_COLOR": "1", "CI": "",
		"PIPEC_STACK": "k8s", "AWS_ACCESS_KEY_ID": c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": c.S3SecretKey, "AWS_REGION": c.S3Region,
		"NAMESPACE": ns.Name, "REGISTRY": c.Registry, "BUSYBOX": c.Busybox("1"), "S3": c.S3, "BUCKET": bucket,
	} {
		env.Setenv(name, value)
	}
	stack := testcluster.Stack{Namespace: ns.Name, Bucket: bucket, Secret: storeSecret, Orchestrator: []string{"wrapper = var.wrapper"}}.Text(c) +
		fmt.Sprintf(definitions, c.Registry)
	return os.WriteFile(filepath.Join(env.WorkDir, "stack.pipec.hcl"), []byte(stack), 0o644)
}

// definitions are what scripts have beside the stack.
const definitions = `
variable "wrapper" {
  type    = string
  default = "auto"
}

locals {
  busybox = "%s/test/busybox"
}
`

// kubectl runs kubectl in the script's namespace.
func kubectl(ts *testscript.TestScript, args ...string) (string, error) {
	cmd := exec.Command("kubectl", append([]string{"-n", ts.Getenv("NAMESPACE")}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+ts.Getenv("KUBECONFIG"))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// status runs a command and checks its exit status: status 3 pipec plan. Its output is in the files stdout and stderr.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND ARG...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	for _, name := range []string{"stdout", "stderr"} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(ts.ReadFile(name)), 0o644))
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, and %s is wanted\nstdout:\n%s\nstderr:\n%s", got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// gives checks what kubectl prints: gives '2' get pods -l pipeline=p -o name … | its lines are counted with -n.
//
//	gives 'Failed' get job x -o jsonpath={…}
//	gives -n 4 get pods -l pipeline=p -o name
func gives(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: gives [-n] WANT ARG...")
	}
	ok, got := compare(ts, args)
	if ok == neg {
		ts.Fatalf("kubectl %s: %s", strings.Join(args, " "), got)
	}
}

// await is like gives, but retries for at most five minutes.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: await [-n] WANT ARG...")
	}
	var got string
	if !eventually.Holds(5*time.Minute, func() (ok bool) {
		ok, got = compare(ts, args)
		return ok != neg
	}) {
		ts.Fatalf("not within five minutes: kubectl %s: %s\n%s", strings.Join(args, " "), got, situation(ts))
	}
}

// situation describes the script's namespace for the message of a test that has failed.
func situation(ts *testscript.TestScript) string {
	var out strings.Builder
	for _, args := range []string{
		"get jobs,pods -o wide",
		"get events --sort-by=.lastTimestamp",
		"logs -l app.kubernetes.io/component=coordinator --tail=20 --prefix",
	} {
		text, err := kubectl(ts, strings.Fields(args)...)
		if err != nil {
			text += " " + err.Error()
		}
		fmt.Fprintf(&out, "kubectl %s\n%s\n", args, text)
	}
	return out.String()
}

func compare(ts *testscript.TestScript, args []string) (bool, string) {
	count := args[0] == "-n"
	if count {
		args = args[1:]
	}
	out, err := kubectl(ts, args[1:]...)
	if err != nil {
		return false, out
	}
	if count {
		return fmt.Sprint(len(strings.Fields(out))) == args[0], out
	}
	return out == args[0], out
}

// deploy applies the file that emit wrote with kubectl: deploy FILE.
func deploy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: deploy FILE")
	}
	if out, err := kubectl(ts, "apply", "-f", ts.MkAbs(args[0])); err != nil {
		ts.Fatalf("kubectl apply: %v\n%s", err, out)
	}
}

// bake makes an image of the test cluster's busybox that includes the agent: bake REFERENCE.
func bake(ts *testscript.TestScript, bin string, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bake REFERENCE")
	}
	agent, err := os.ReadFile(filepath.Join(bin, "pipec-agent"))
	ts.Check(err)
	base, err := crane.Pull(ts.Getenv("BUSYBOX"), crane.Insecure)
	ts.Check(err)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	ts.Check(w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(kube.AgentPath, "/"), Mode: 0o755, Size: int64(len(agent)), Typeflag: tar.TypeReg}))
	_, err = w.Write(agent)
	ts.Check(err)
	ts.Check(w.Close())
	added, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	ts.Check(err)
	image, err := mutate.AppendLayers(base, added)
	ts.Check(err)
	ts.Check(crane.Push(image, args[0], crane.Insecure))
}
