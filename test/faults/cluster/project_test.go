package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

func TestMain(m *testing.M) { testcluster.Main(m) }

const (
	bucket  = "faults"
	patient = 10 * time.Minute // for what a busy machine does late
)

// project is a directory with a pipeline "p", and a namespace in which it runs. It is used by one test.
type project struct {
	t      *testing.T
	c      testcluster.Cluster
	client kubernetes.Interface
	ns     string
	dir    string
	bin    string
	s3     string // the server's URL
}

// newProject makes the project of a pipeline. Each line of orchestrator is added to the stack's block of that name.
func newProject(t *testing.T, s3, pipeline string, orchestrator ...string) *project {
	t.Helper()
	c := testcluster.Env(t)
	p := &project{t: t, c: c, client: c.Client(t), ns: c.Namespace(t), dir: t.TempDir(), bin: testcluster.Binaries(t), s3: s3}
	own := c
	if p.s3 == "" {
		p.s3 = c.S3
	}
	own.S3 = p.s3
	if err := own.MakeBucket(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "store"},
		StringData: c.StoreKeys(),
	}
	if _, err := p.client.CoreV1().Secrets(p.ns).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	stack := testcluster.Stack{Namespace: p.ns, Bucket: bucket, Secret: "store", S3: p.s3, Orchestrator: orchestrator}
	p.write("stack.pipec.hcl", stack.Text(c))
	p.write("p.pipec.hcl", fmt.Sprintf("pipeline \"p\" {\n  image = %q\n%s\n}\n", c.Busybox("1"), pipeline))
	return p
}

func (p *project) write(name, text string) {
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o666); err != nil {
		p.t.Fatal(err)
	}
}

// running is a command that runs beside the test.
type running struct {
	p    *project
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
}

// start starts pipec run p, and returns when its Job exists.
func (p *project) start() *running {
	p.t.Helper()
	r := &running{p: p, done: make(chan struct{})}
	r.cmd = exec.CommandContext(p.t.Context(), filepath.Join(p.bin, "pipec"), "run", "p")
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = p.dir, &r.out, &r.out
	r.cmd.Env = append(os.Environ(), "KUBECONFIG="+p.c.Kubeconfig, "HOME="+p.dir, "NO_COLOR=1", "CI=", "PIPEC_STACK=k8s", "XDG_CACHE_HOME="+p.dir,
		"AWS_ACCESS_KEY_ID="+p.c.S3AccessKey, "AWS_SECRET_ACCESS_KEY="+p.c.S3SecretKey, "AWS_REGION="+p.c.S3Region)
	if err := r.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait()
		close(r.done)
	}()
	p.await("the Job of the run", func() bool {
		select {
		case <-r.done:
			p.t.Fatalf("pipec run has ended: %s", &r.out)
		default:
		}
		return p.job() != ""
	})
	return r
}

// wait waits for the command, and returns its exit status and what it has printed.
func (r *running) wait() (int, string) {
	r.p.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patient):
		_ = r.cmd.Process.Kill()
		<-r.done
		r.p.t.Fatalf("pipec run has not ended: %s\n%s", &r.out, r.p.state())
	}
	return r.cmd.ProcessState.ExitCode(), r.out.String()
}

// await waits for a condition.
func (p *project) await(what string, condition func() bool) {
	p.t.Helper()
	if !eventually.Holds(patient, condition) {
		p.t.Fatalf("%s: not within %s\n%s", what, patient, p.state())
	}
}

// state describes the pods, for a test that fails.
func (p *project) state() string {
	out, _ := exec.Command(p.c.Kubectl, "--kubeconfig", p.c.Kubeconfig, "-n", p.ns, "get", "jobs,pods,leases", "-o", "wide").CombinedOutput()
	logs, _ := exec.Command(p.c.Kubectl, "--kubeconfig", p.c.Kubeconfig, "-n", p.ns, "logs", "-l", "app.kubernetes.io/component=coordinator", "--tail=20").CombinedOutput()
	return string(out) + string(logs)
}

// job returns the name of the run's Job; "": there is none.
func (p *project) job() string {
	list, err := p.client.BatchV1().Jobs(p.ns).List(context.Background(), metav1.ListOptions{})
	if err != nil || len(list.Items) == 0 {
		return ""
	}
	return list.Items[0].Name
}

// pods returns the pods with a component's label: "coordinator" or "step".
func (p *project) pods(component string) []corev1.Pod {
	list, err := p.client.CoreV1().Pods(p.ns).List(context.Background(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=" + component})
	if err != nil {
		return nil
	}
	return list.Items
}

// runningPod waits until a pod of a step runs, and returns it.
func (p *project) runningPod(step string) corev1.Pod {
	p.t.Helper()
	var found corev1.Pod
	p.await("a running pod of "+step, func() bool {
		for _, pod := range p.pods(kube.ComponentStep) {
			if pod.Annotations[kube.AnnotationStep] == step && pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
				found = pod
				return true
			}
		}
		return false
	})
	return found
}

// store opens the project's store.
func (p *project) store() *s3.Store {
	p.t.Helper()
	s, err := s3.Open(p.t.Context(), program.Store{Kind: "s3", Path: "s3://" + bucket + "/" + p.ns, Endpoint: p.s3, PathStyle: true, Region: p.c.S3Region}, s3.Options{
		Environ: func(name string) (string, bool) {
			value, ok := map[string]string{"AWS_ACCESS_KEY_ID": p.c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": p.c.S3SecretKey}[name]
			return value, ok
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = s.Close() })
	return s
}

var errNotEnded = errors.New("the run has no end")

func lines(s ...string) string { return strings.Join(s, "\n") }
