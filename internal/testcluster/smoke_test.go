package testcluster_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/internal/testcluster"
)

// restricted returns a pod that satisfies Pod Security's "restricted" and runs a shell command on busybox.
func restricted(c testcluster.Cluster, command string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "pod-"},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(65532)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "main", Image: c.Busybox("1"), Command: []string{"sh", "-c", command},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

// finish creates the pod, waits until it has ended, and returns its phase and its log.
func finish(t *testing.T, client kubernetes.Interface, namespace string, pod *corev1.Pod) (corev1.PodPhase, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	pods := client.CoreV1().Pods(namespace)
	pod, err := pods.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := pods.Watch(ctx, metav1.SingleObject(metav1.ObjectMeta{Name: pod.Name, ResourceVersion: pod.ResourceVersion}))
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		var ok bool
		if pod, ok = event.Object.(*corev1.Pod); !ok {
			t.Fatalf("the watch ended: %v", event.Object)
		}
		if p := pod.Status.Phase; p == corev1.PodSucceeded || p == corev1.PodFailed {
			log, err := pods.GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return p, string(log)
		}
	}
	t.Fatalf("the pod has not ended: %+v", pod.Status)
	return "", ""
}

func TestPod(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	client, ns := c.Client(t), c.Namespace(t)
	for _, test := range []struct {
		name, command string
		phase         corev1.PodPhase
		log           string
	}{
		{"its log", "id -u; echo on the cluster", corev1.PodSucceeded, "65532\non the cluster\n"},
		{"a failure", "echo no; exit 3", corev1.PodFailed, "no\n"},
		{"the API's address", "nc -w 10 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT </dev/null && echo there", corev1.PodSucceeded, "there\n"},
		{"the registry's address", "wget -q -O- http://" + c.Registry + "/v2/", corev1.PodSucceeded, "{}"},
		{"the S3 server's address", "wget -q -O- " + c.S3 + "/health", corev1.PodSucceeded, "OK"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			phase, log := finish(t, client, ns, restricted(c, test.command))
			if phase != test.phase || log != test.log {
				t.Errorf("%s, log %q; want %s, log %q", phase, log, test.phase, test.log)
			}
		})
	}
}

// The coordinator relies on this: a pod's own token and authority, by which the API identifies it as its service account.
func TestServiceAccount(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	ns := c.Namespace(t)
	phase, log := finish(t, c.Client(t), ns, restricted(c, "cd /var/run/secrets/kubernetes.io/serviceaccount; cat token; echo; cat ca.crt"))
	if phase != corev1.PodSucceeded {
		t.Fatalf("%s, log %q", phase, log)
	}
	token, ca, _ := strings.Cut(log, "\n")
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: c.API, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: []byte(ca)},
	})
	if err != nil {
		t.Fatal(err)
	}
	who, err := client.AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := who.Status.UserInfo.Username, "system:serviceaccount:"+ns+":default"; got != want {
		t.Errorf("the API knows the pod as %q, want %q", got, want)
	}
}

// The wrapper's way into a pod relies on this.
func TestImageVolume(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	pod := restricted(c, "/tools/bin/busybox echo from the volume; touch /tools/x 2>/dev/null || echo read-only")
	pod.Spec.Volumes = []corev1.Volume{{Name: "tools", VolumeSource: corev1.VolumeSource{
		Image: &corev1.ImageVolumeSource{Reference: c.Busybox("user-1234")},
	}}}
	pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "tools", MountPath: "/tools", ReadOnly: true}}
	phase, log := finish(t, c.Client(t), c.Namespace(t), pod)
	if phase != corev1.PodSucceeded || log != "from the volume\nread-only\n" {
		t.Errorf("%s, log %q", phase, log)
	}
}

// Restarts in place rely on this: a container that exits with 42 is run again in the same pod, which otherwise never
// restarts.
func TestRestartRules(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	pod := restricted(c, "test -e /work/again && echo again || { touch /work/again; exit 42; }")
	never := corev1.ContainerRestartPolicyNever
	main := &pod.Spec.Containers[0]
	main.RestartPolicy = &never
	main.RestartPolicyRules = []corev1.ContainerRestartRule{{
		Action:    corev1.ContainerRestartRuleActionRestart,
		ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42}},
	}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	main.VolumeMounts = []corev1.VolumeMount{{Name: "work", MountPath: "/work"}}
	phase, log := finish(t, c.Client(t), c.Namespace(t), pod)
	if phase != corev1.PodSucceeded || log != "again\n" {
		t.Errorf("%s, log %q", phase, log)
	}
}

func TestPodSecurity(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	pod := restricted(c, "true")
	pod.Spec.SecurityContext = nil
	_, err := c.Client(t).CoreV1().Pods(c.Namespace(t)).Create(t.Context(), pod, metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
		t.Errorf("a pod that may run as root: %v", err)
	}
}

func TestS3(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	client := s3.New(s3.Options{
		BaseEndpoint: &c.S3, Region: c.S3Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(c.S3AccessKey, c.S3SecretKey, ""),
	})
	bucket, key := aws.String("smoke-"+strings.ToLower(rand.Text())), aws.String("a/b")
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
		if _, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket}); err != nil {
			t.Error(err)
		}
	})
	put := func(text string) error {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: key, Body: strings.NewReader(text), IfNoneMatch: aws.String("*"),
		})
		return err
	}
	if err := put("first"); err != nil {
		t.Fatal(err)
	}
	var refused *awshttp.ResponseError
	if err := put("second"); !errors.As(err, &refused) || refused.HTTPStatusCode() != 412 {
		t.Errorf("a second put with If-None-Match: %v, want status 412", err)
	}
	got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if text, err := io.ReadAll(got.Body); err != nil || string(text) != "first" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	made, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(c.Registry+"/smoke/random:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, made, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(ref, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	want, err := made.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest, err := got.RawManifest(); err != nil || !bytes.Equal(manifest, want) {
		t.Errorf("pulled %s, %v; pushed %s", manifest, err, want)
	}
}
