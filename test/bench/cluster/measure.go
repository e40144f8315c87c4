package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"pipec.dev/pipec/schema/kube"
)

// row is a shape with one wrapper.
type row struct {
	shape   shape
	wrapper string
	pairs   []pair
}

// pair is the floor and a run, one after the other.
type pair struct {
	floor time.Duration
	run   measured
}

// measured is one run.
type measured struct {
	pods                     time.Duration // from the first step's pod to the end of the last
	before                   time.Duration // from the command's start to the first step's pod
	after                    time.Duration // from the end of the last to the command's end
	creates, deletes, leases int           // requests of the coordinator: pods created, deleted; Lease
	peak                     int64         // bytes of the coordinator's memory
}

func median(pairs []pair, of func(pair) float64) float64 {
	var all []float64
	for _, p := range pairs {
		all = append(all, of(p))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func (w *world) pair(ctx context.Context, s shape) (p pair, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	if p.floor, err = w.floor(ctx, s); err != nil {
		return p, err
	}
	p.run, err = w.measure(ctx, s)
	return p, err
}

// floor makes the shape's pods by hand, each as soon as what it needs has been seen to succeed.
func (w *world) floor(ctx context.Context, s shape) (time.Duration, error) {
	pods := w.client.CoreV1().Pods(w.namespace)
	label := "bench=" + strconv.FormatInt(time.Now().UnixNano(), 36)
	seen, err := pods.Watch(ctx, metav1.ListOptions{LabelSelector: label})
	if err != nil {
		return 0, err
	}
	defer seen.Stop()
	left, waiting := map[string]int{}, map[string][]string{}
	create := func(step string) error {
		_, err := pods.Create(ctx, w.bare(step, label), metav1.CreateOptions{})
		return err
	}
	for _, step := range s.steps {
		left[step] = len(s.needs[step])
		for _, need := range s.needs[step] {
			waiting[need] = append(waiting[need], step)
		}
	}
	for _, step := range s.steps {
		if left[step] == 0 {
			if err := create(step); err != nil {
				return 0, err
			}
		}
	}
	return follow(seen, len(s.steps), func(pod *corev1.Pod) error {
		for _, next := range waiting[pod.Labels["step"]] {
			if left[next]--; left[next] == 0 {
				if err := create(next); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (w *world) bare(step, label string) *corev1.Pod {
	yes, no, user := true, false, int64(kube.DefaultUser)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: strings.ToLower(step) + "-", Labels: map[string]string{"step": step, "bench": strings.TrimPrefix(label, "bench=")}},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: &no,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "main", Image: w.image, Command: []string{"true"},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
}

// follow returns the time from the first pod that is seen to the success of the last of n, and calls succeeded for each
// success.
func follow(seen watch.Interface, n int, succeeded func(*corev1.Pod) error) (time.Duration, error) {
	var first time.Time
	done := map[string]bool{}
	for event := range seen.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			return 0, fmt.Errorf("the watch ended: %v", event.Object)
		}
		if first.IsZero() {
			first = time.Now()
		}
		switch {
		case pod.Status.Phase == corev1.PodFailed:
			return 0, fmt.Errorf("pod %s failed: %s", pod.Name, pod.Status.Message)
		case pod.Status.Phase != corev1.PodSucceeded || done[pod.Name]:
			continue
		}
		done[pod.Name] = true
		if err := succeeded(pod); err != nil {
			return 0, err
		}
		if len(done) == n {
			return time.Since(first), nil
		}
	}
	return 0, errors.New("the watch ended")
}

// measure runs the shape's pipeline.
func (w *world) measure(ctx context.Context, s shape) (m measured, err error) {
	seen, err := w.client.CoreV1().Pods(w.namespace).Watch(ctx, metav1.ListOptions{
		LabelSelector: kube.LabelPlain + "=" + s.name, ResourceVersion: w.now(ctx), ResourceVersionMatch: "",
	})
	if err != nil {
		return m, err
	}
	defer seen.Stop()
	audit, err := os.Open(w.audit)
	if err != nil {
		return m, err
	}
	defer audit.Close()
	if _, err := audit.Seek(0, io.SeekEnd); err != nil {
		return m, err
	}
	watching, stop := context.WithCancel(ctx)
	peak := make(chan int64, 1)
	go func() { peak <- w.memory(watching) }()
	start := time.Now()
	ended := make(chan error, 1)
	go func() {
		err := w.pipec(ctx, "run", s.name)
		if err != nil {
			seen.Stop()
		}
		ended <- err
	}()
	m.pods, err = follow(seen, len(s.steps), func(*corev1.Pod) error { return nil })
	last := time.Now()
	if runErr := <-ended; runErr != nil {
		err = runErr
	}
	stop()
	m.peak = <-peak
	if err != nil {
		return m, err
	}
	m.before, m.after = last.Add(-m.pods).Sub(start), time.Since(last)
	time.Sleep(time.Second) // the audit log is written in batches
	return m, w.count(audit, s, &m)
}

// now returns the version from which a watch reports only changes.
func (w *world) now(ctx context.Context) string {
	list, err := w.client.CoreV1().Pods(w.namespace).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return ""
	}
	return list.ResourceVersion
}

// count reads the coordinator's requests in the audit log.
func (w *world) count(audit io.Reader, s shape, m *measured) error {
	user := "system:serviceaccount:" + w.namespace + ":" + kube.CoordinatorName(s.name)
	lines := bufio.NewScanner(audit)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct {
			Stage, Verb string
			User        struct{ Username string }
			ObjectRef   struct{ Resource string }
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Stage != "ResponseComplete" || e.User.Username != user {
			continue
		}
		switch {
		case e.ObjectRef.Resource == "leases":
			m.leases++
		case e.ObjectRef.Resource == "pods" && e.Verb == "create":
			m.creates++
		case e.ObjectRef.Resource == "pods" && e.Verb == "delete":
			m.deletes++
		}
	}
	return lines.Err()
}

// memory is the peak of the coordinator's, which is a process of this machine.
func (w *world) memory(ctx context.Context) (peak int64) {
	for {
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
			if !strings.Contains(string(cmdline), "pipec-agent\x00coordinate") {
				continue
			}
			status, _ := os.ReadFile(filepath.Join(dir, "status"))
			for line := range strings.Lines(string(status)) {
				if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
					if fields := strings.Fields(rest); len(fields) > 0 {
						kb, _ := strconv.ParseInt(fields[0], 10, 64)
						peak = max(peak, kb*1024)
					}
				}
			}
		}
		select {
		case <-ctx.Done():
			return peak
		case <-time.After(250 * time.Millisecond):
		}
	}
}
