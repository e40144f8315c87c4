package kube_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/runtime/image/agent"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

var build = struct {
	sync.Once
	bin, image string
	err        error
}{}

// agentImage builds pipec-agent, and pushes it to the test cluster's registry once.
func agentImage(t *testing.T, c testcluster.Cluster) string {
	t.Helper()
	build.Do(func() {
		dir, err := os.MkdirTemp("", "pipec-agent")
		if err != nil {
			build.err = err
			return
		}
		defer os.RemoveAll(dir)
		build.bin = filepath.Join(dir, "pipec-agent")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", build.bin, "pipec.dev/pipec/cmd/pipec-agent")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			build.err = fmt.Errorf("%w: %s", err, out)
			return
		}
		build.image, build.err = push(build.bin, c.Registry+"/test/runtime-kube/pipec-agent")
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	return build.image
}

func push(bin, repository string) (string, error) {
	b, err := agent.ReadBinary(bin)
	if err != nil {
		return "", err
	}
	index, err := agent.Build([]*agent.Binary{b}, "test", false)
	if err != nil {
		return "", err
	}
	digest, err := index.Digest()
	if err != nil {
		return "", err
	}
	ref, err := name.NewDigest(repository+"@"+digest.String(), name.Insecure)
	if err != nil {
		return "", err
	}
	return ref.String(), remote.WriteIndex(ref, index)
}

// world is a namespace with all that runs need.
type world struct {
	t      *testing.T
	c      testcluster.Cluster
	client kubernetes.Interface
	ns     string
	image  string
	stack  *program.Stack
	store  store.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := testcluster.Env(t)
	w := &world{t: t, c: c, image: agentImage(t, c), client: c.Client(t)}
	w.ns = c.Namespace(t)
	bucket := storetest.NewBucket(t)
	w.stack = &program.Stack{
		Name:          "k8s",
		Orchestrator:  program.Orchestrator{Kind: "kubernetes", Namespace: w.ns, Version: "1.37", StoreGrace: program.Duration(15 * time.Minute)},
		ArtifactStore: bucket.Store("x"),
		Registry:      &program.Registry{Kind: "generic", URI: c.Registry},
	}
	w.stack.ArtifactStore.Secret = "pipec-store"
	w.store = openStore(t, bucket, w.stack.ArtifactStore)
	ctx := t.Context()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "pipec-store"}, StringData: map[string]string{
		"AWS_ACCESS_KEY_ID": c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": c.S3SecretKey,
	}}
	check(t, second(w.client.CoreV1().Secrets(w.ns).Create(ctx, secret, metav1.CreateOptions{})))
	for _, account := range []string{kube.CoordinatorName("p"), kube.StepsName("p")} {
		sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}
		check(t, second(w.client.CoreV1().ServiceAccounts(w.ns).Create(ctx, sa, metav1.CreateOptions{})))
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: kube.CoordinatorName("p")}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"create", "delete", "get", "list", "watch"}},
		{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}},
		{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create", "delete", "get", "list", "update", "watch"}},
	}}
	check(t, second(w.client.RbacV1().Roles(w.ns).Create(ctx, role, metav1.CreateOptions{})))
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: role.Name, Namespace: w.ns}},
	}
	check(t, second(w.client.RbacV1().RoleBindings(w.ns).Create(ctx, binding, metav1.CreateOptions{})))
	return w
}

func second[T any](_ T, err error) error { return err }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t *testing.T, b *storetest.Bucket, s program.Store) store.Store {
	t.Helper()
	st, err := openS3(t.Context(), s, b.Environ)
	check(t, err)
	t.Cleanup(func() { st.Close() })
	return st
}

// sh is a step that runs a script; needs are steps that come before it, "NAME" or "NAME.OUTPUT".
func (w *world) sh(name, script string, more ...func(*program.Step)) program.Step {
	s := program.Step{
		Name: name, Image: w.c.Busybox("1"), Retry: program.Retry{Attempts: 1, Infrastructure: 3}, Grace: program.Duration(5 * time.Second),
		Command: []program.Value{{Const: quote("sh")}, {Const: quote("-c")}, {Const: quote(script)}},
	}
	for _, f := range more {
		f(&s)
	}
	return s
}

func quote(s string) json.RawMessage {
	data, _ := json.Marshal(s)
	return data
}

func after(names ...string) func(*program.Step) {
	return func(s *program.Step) {
		for _, n := range names {
			s.Needs = append(s.Needs, program.Need{Step: n, Kind: program.NeedOrder})
		}
	}
}

func output(name, typ string) func(*program.Step) {
	return func(s *program.Step) { s.Outputs = append(s.Outputs, program.Output{Name: name, Type: typ}) }
}

func input(name, typ, step, out string) func(*program.Step) {
	return func(s *program.Step) {
		s.Inputs = append(s.Inputs, program.Input{Name: name, Type: typ, Value: program.Value{Ref: "step." + step + "." + out}})
		s.Needs = append(s.Needs, program.Need{Step: step, Kind: program.NeedOutput})
	}
}

// bind makes a program of steps for this world.
func (w *world) bind(steps []program.Step, more ...func(*program.Program)) *program.Program {
	w.t.Helper()
	slices.SortFunc(steps, func(a, b program.Step) int { return strings.Compare(a.Name, b.Name) })
	p := &program.Program{Version: program.Version, Pipeline: "p", Steps: steps, OnFailure: "continue", MaxParallel: 200}
	for _, f := range more {
		f(p)
	}
	lock := &program.Lock{Version: 1, Agents: map[string]string{w.c.Registry: w.image}}
	bound, _, err := pod.Bind(p, w.stack, lock, pod.Options{})
	check(w.t, err)
	return bound
}

// start makes the Job of a run, and what it mounts.
func (w *world) start(p *program.Program, run string, annotations map[string]string) *batchv1.Job {
	w.t.Helper()
	encoded, err := p.Encode()
	check(w.t, err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(encoded)
	check(w.t, z.Close())
	ctx := w.t.Context()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: run}, BinaryData: map[string][]byte{kube.ProgramFile: b.Bytes()}}
	check(w.t, second(w.client.CoreV1().ConfigMaps(w.ns).Create(ctx, cm, metav1.CreateOptions{})))
	job, err := w.client.BatchV1().Jobs(w.ns).Create(ctx, w.job(p, run, annotations), metav1.CreateOptions{})
	check(w.t, err)
	return job
}

// job is what emit makes of a run, in what matters here.
func (w *world) job(p *program.Program, run string, annotations map[string]string) *batchv1.Job {
	field := func(name, path string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
	}
	st, _ := json.Marshal(p.Target.Store)
	main := kube.ContainerCoordinator
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: run, Annotations: annotations},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(100)),
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
				{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
					ContainerName: &main, Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{kube.ExitRunFailed},
				}},
			}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"test": "coordinator", "run": run}},
				Spec: corev1.PodSpec{
					RestartPolicy: corev1.RestartPolicyNever, ServiceAccountName: kube.CoordinatorName("p"),
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot: new(true), RunAsUser: new(int64(65532)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
					Volumes: []corev1.Volume{{Name: "program", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
						LocalObjectReference: corev1.LocalObjectReference{Name: run},
					}}}, {Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
					Containers: []corev1.Container{{
						Name: main, Image: p.Target.Agent, Args: []string{"coordinate"},
						Env: []corev1.EnvVar{
							{Name: kube.EnvStore, Value: string(st)},
							field(kube.EnvJobName, "metadata.labels['batch.kubernetes.io/job-name']"),
							field(kube.EnvJobUID, "metadata.labels['batch.kubernetes.io/controller-uid']"),
							field(kube.EnvNamespace, "metadata.namespace"), field(kube.EnvPodName, "metadata.name"), field(kube.EnvPodUID, "metadata.uid"),
						},
						EnvFrom: []corev1.EnvFromSource{{Prefix: kube.EnvStorePrefix, SecretRef: &corev1.SecretEnvSource{
							LocalObjectReference: corev1.LocalObjectReference{Name: "pipec-store"},
						}}},
						VolumeMounts: []corev1.VolumeMount{{Name: "program", MountPath: kube.ProgramDir}, {Name: "tmp", MountPath: "/tmp"}},
						SecurityContext: &corev1.SecurityContext{
							AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
						},
						RestartPolicy: new(corev1.ContainerRestartPolicyNever),
						RestartPolicyRules: []corev1.ContainerRestartRule{{
							Action: corev1.ContainerRestartRuleActionRestart,
							ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{
								Operator: corev1.ContainerRestartRuleOnExitCodesOpNotIn, Values: []int32{0, kube.ExitRunFailed},
							},
						}},
					}},
				},
			},
		},
	}
}

// finished waits for the Job's end, by a watch, and returns how it ended: "Complete" or "Failed".
func (w *world) finished(run string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	watch, err := w.client.BatchV1().Jobs(w.ns).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + run})
	check(w.t, err)
	defer watch.Stop()
	for e := range watch.ResultChan() {
		job, ok := e.Object.(*batchv1.Job)
		if !ok {
			continue
		}
		for _, c := range job.Status.Conditions {
			if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
				return string(c.Type)
			}
		}
	}
	w.t.Fatalf("the Job %s has not ended; its coordinator says:\n%s", run, w.coordinatorLog(run))
	return ""
}

func (w *world) coordinatorLog(run string) string {
	pods, err := w.client.CoreV1().Pods(w.ns).List(context.Background(), metav1.ListOptions{LabelSelector: "test=coordinator,run=" + run})
	check(w.t, err)
	var out strings.Builder
	for i := range pods.Items {
		data, err := w.client.CoreV1().Pods(w.ns).GetLogs(pods.Items[i].Name, &corev1.PodLogOptions{}).DoRaw(context.Background())
		fmt.Fprintf(&out, "%s (%s) %v\n%s", pods.Items[i].Name, pods.Items[i].Status.Phase, err, data)
	}
	return out.String()
}

// await waits until a step's pod has the expected state, by a watch, and returns it.
func (w *world) await(selector string, want func(*corev1.Pod) bool) *corev1.Pod {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	watch, err := w.client.CoreV1().Pods(w.ns).Watch(ctx, metav1.ListOptions{LabelSelector: selector})
	check(w.t, err)
	defer watch.Stop()
	for e := range watch.ResultChan() {
		if p, ok := e.Object.(*corev1.Pod); ok && want(p) {
			return p
		}
	}
	w.t.Fatalf("no pod of %s is as it should be", selector)
	return nil
}

func running(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning }

// end reads how the run ended.
func (w *world) end(run string) *record.End {
	w.t.Helper()
	key := (&record.Run{Namespace: w.ns, Pipeline: "p", Name: run}).EndKey()
	end, err := store.ReadJSON[record.End](w.t.Context(), w.store, key)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.coordinatorLog(run))
	}
	return &end
}

func (w *world) step(end *record.End, name string) record.StepEnd {
	w.t.Helper()
	for _, s := range end.Steps {
		if s.Name == name {
			return s
		}
	}
	w.t.Fatalf("step %s has no end: %+v", name, end)
	return record.StepEnd{}
}

func (w *world) pods(run string) []corev1.Pod {
	w.t.Helper()
	list, err := w.client.CoreV1().Pods(w.ns).List(w.t.Context(), metav1.ListOptions{LabelSelector: kube.LabelRun + "=" + run})
	check(w.t, err)
	return list.Items
}

func (w *world) succeeded(run string) *record.End {
	w.t.Helper()
	if got := w.finished(run); got != "Complete" {
		w.t.Fatalf("the Job is %s\n%s", got, w.coordinatorLog(run))
	}
	end := w.end(run)
	if end.Status != record.Succeeded {
		w.t.Fatalf("the run ended %s: %s", end.Status, end.Message)
	}
	return end
}

func (w *world) failed(run string) *record.End {
	w.t.Helper()
	if got := w.finished(run); got != "Failed" {
		w.t.Fatalf("the Job is %s\n%s", got, w.coordinatorLog(run))
	}
	return w.end(run)
}
