package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// following is a run that a test follows, on a cluster in memory.
type following struct {
	t     *testing.T
	api   *kubetest.API
	store *store.Local
	run   record.Run
	opts  FollowOptions

	mu     sync.Mutex
	events []record.Event
	end    *record.End
	err    error
	done   chan struct{}
}

func newFollowing(t *testing.T) *following {
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &following{t: t, api: kubetest.New(t), store: s, run: record.Run{Version: 1, Name: "r", Pipeline: "p", Namespace: "ml", UID: "job-1"}, done: make(chan struct{})}
	f.opts = FollowOptions{Pipeline: "p", Name: "r", UID: "job-1", Reader: runs.NewReader(s, work.Dir{}, "ml"), Lines: true}
	f.opts.Observe = func(e record.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events = append(f.events, e)
	}
	f.job("", "")
	return f
}

func (f *following) start(ctx context.Context) {
	c := fakeCluster(f.t, f.api)
	go func() {
		f.end, f.err = c.Follow(ctx, f.opts)
		close(f.done)
	}()
	synctest.Wait()
}

// job sets the Job's condition.
func (f *following) job(condition batchv1.JobConditionType, reason string) {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: "ml", UID: "job-1", CreationTimestamp: metav1.Now()}}
	if condition != "" {
		j.Status.Conditions = []batchv1.JobCondition{{Type: condition, Status: corev1.ConditionTrue, Reason: reason}}
	} else {
		j.Status.Active = 1
	}
	f.api.Put(j)
}

// pod stores a pod: of a coordinator if step is "".
func (f *following) pod(name, step string, attempt int, state corev1.ContainerState, restarts int32) {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ml", UID: types.UID(name), CreationTimestamp: metav1.Now()}}
	container := kube.ContainerCoordinator
	p.Labels = map[string]string{batchv1.ControllerUidLabel: "job-1"}
	if step != "" {
		container = kube.ContainerMain
		p.Labels = map[string]string{kube.LabelRunUID: "job-1", kube.LabelStep: step, kube.LabelAttempt: fmt.Sprint(attempt)}
	}
	p.Status.Phase = corev1.PodRunning
	p.Spec.NodeName = "node"
	switch {
	case state.Waiting != nil:
		p.Status.Phase = corev1.PodPending
	case state.Terminated != nil && step != "":
		p.Status.Phase = corev1.PodSucceeded
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: container, State: state, RestartCount: restarts, Image: "img:1"}}
	f.api.Put(p)
}

func running() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
}

func ended() corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: metav1.Now()}}
}

func pending(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

// coordinates writes events to a coordinator's log.
func (f *following) coordinates(pod string, events ...record.Event) {
	for _, e := range events {
		e.Version, e.Run = 1, "r"
		data, _ := json.Marshal(e)
		f.api.WriteLog(pod, string(data)+"\n", false)
	}
	synctest.Wait()
}

// prints writes lines to the log of a step's pod, and to the store.
func (f *following) prints(pod, step string, attempt int, lines ...string) {
	all := strings.Join(lines, "\n") + "\n"
	for _, l := range lines {
		f.api.WriteLog(pod, time.Now().UTC().Format(time.RFC3339Nano)+" "+l+"\n", false)
	}
	f.stores(step, attempt, all)
	synctest.Wait()
}

func (f *following) stores(step string, attempt int, all string) {
	if err := f.store.Put(f.t.Context(), f.run.AttemptDir(step, attempt)+"/log/000000", strings.NewReader(all), store.Replace); err != nil {
		f.t.Fatal(err)
	}
}

func (f *following) records(end *record.End) {
	if err := store.WriteJSON(f.t.Context(), f.store, f.run.EndKey(), end, store.IfAbsent); err != nil {
		f.t.Fatal(err)
	}
}

// observed returns the observed events as text, without times.
func (f *following) observed() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, e := range f.events {
		text := string(e.Type)
		if e.Step != "" {
			text += " " + e.Step
		}
		if e.Attempt > 0 {
			text += fmt.Sprintf(" %d", e.Attempt)
		}
		if e.Text != "" {
			text += ": " + e.Text
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

func (f *following) want(want string) {
	f.t.Helper()
	if got := f.observed(); got != want {
		f.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func result(bytes int) *record.Result {
	return &record.Result{Status: record.Succeeded, Log: record.Log{Segments: 1, Bytes: int64(bytes)}}
}

func succeeded(steps ...string) *record.End {
	end := &record.End{Version: 1, Status: record.Succeeded, At: time.Now().UTC()}
	for _, s := range steps {
		end.Steps = append(end.Steps, record.StepEnd{Name: s, Status: record.Succeeded, Attempts: 1, Attempt: 1, StartedAt: end.At, EndedAt: end.At})
	}
	return end
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		f.start(t.Context())
		f.pod("c", "", 0, running(), 0)
		f.pod("a1", "a", 1, running(), 0)
		f.prints("a1", "a", 1, "one") // before the event of its start
		f.coordinates("c", record.Event{Seq: 1, Type: record.RunStarted}, record.Event{Type: record.StepStarted, Step: "a"})
		// The event of the attempt's end comes before its last line, and that line is not lost.
		f.stores("a", 1, "one\ntwo\n")
		f.coordinates("c", record.Event{Seq: 2, Type: record.AttemptEnded, Step: "a", Attempt: 1, Result: result(8)},
			record.Event{Type: record.StepRetried, Step: "a", Attempt: 1, Text: "again"})
		f.pod("a1", "a", 1, ended(), 0)
		f.pod("a2", "a", 2, running(), 0)
		f.prints("a2", "a", 2, "three")
		time.Sleep(time.Second)
		end := succeeded("a")
		f.coordinates("c", record.Event{Seq: 3, Type: record.AttemptEnded, Step: "a", Attempt: 2, Result: result(6)},
			record.Event{Type: record.StepEnded, Step: "a", End: &end.Steps[0]}, record.Event{Type: record.RunEnded, RunEnd: end})
		<-f.done
		if f.err != nil || f.end.Status != record.Succeeded {
			t.Errorf("got %v, %v", f.end, f.err)
		}
		f.want("run_started\nstep_started a\nlog a 1: one\nlog a 1: two\nattempt_ended a 1\nstep_retried a 1: again\nlog a 2: three\nattempt_ended a 2\nstep_ended a\nrun_ended")
	})
}

// TestCoordinatorRestarts: a coordinator that restarts in its pod, and another one in a new pod, repeat events. The events
// that the first one did not print are read from the records.
func TestCoordinatorRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		f.start(t.Context())
		f.pod("c", "", 0, running(), 0)
		f.coordinates("c", record.Event{Seq: 1, Type: record.RunStarted}, record.Event{Type: record.StepStarted, Step: "a"})
		f.api.NewLog("c", 0)
		f.pod("c", "", 0, running(), 1)
		f.coordinates("c", record.Event{Seq: 1, Type: record.RunStarted}, record.Event{Type: record.StepStarted, Step: "a"}, record.Event{Type: record.StepStarted, Step: "b"})
		f.pod("c", "", 0, ended(), 1)
		f.api.Remove("pods", "c")
		f.pod("c2", "", 0, running(), 0)
		f.coordinates("c2", record.Event{Type: record.StepStarted, Step: "b"})
		f.stores("a", 1, "last words\n")
		end := succeeded("a", "b")
		end.Steps[1].Attempts = 0 // it has no lines to wait for
		f.records(end)
		f.job(batchv1.JobComplete, "")
		<-f.done
		f.want("run_started\nstep_started a\nstep_started b\nstep_ended b\nlog a 1: last words\nstep_ended a\nrun_ended")
	})
}

// TestLost: a Job that has failed although its run has no end, and a Job that was deleted.
func TestLost(t *testing.T) {
	for _, c := range []struct {
		name, why string
		do        func(*following)
	}{
		{"failed", "its Job has failed: BackoffLimitExceeded", func(f *following) { f.job(batchv1.JobFailed, "BackoffLimitExceeded") }},
		{"deleted", "its Job is gone", func(f *following) { f.api.Remove("jobs", "r") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFollowing(t)
				f.start(t.Context())
				f.pod("c", "", 0, running(), 0)
				f.coordinates("c", record.Event{Type: record.StepStarted, Step: "a"})
				f.api.WriteLog("c", "panic: no more\n", true)
				f.pod("a1", "a", 1, running(), 0)
				f.prints("a1", "a", 1, "one")
				c.do(f)
				<-f.done
				var lost *LostError
				if !errors.As(f.err, &lost) || !strings.Contains(lost.Why, c.why) || !strings.Contains(lost.Why, "panic: no more") {
					t.Errorf("got %v", f.err)
				}
				f.want("step_started a\nlog a 1: one")
			})
		})
	}
}

// TestLateEnd: the end of a run that comes after the run was taken to be lost still counts.
func TestLateEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		f.start(t.Context())
		f.pod("c", "", 0, running(), 0)
		f.coordinates("c", record.Event{Type: record.StepStarted, Step: "a"})
		f.pod("a1", "a", 1, running(), 0)
		f.prints("a1", "a", 1, "one")
		f.job(batchv1.JobFailed, "BackoffLimitExceeded")
		time.Sleep(8 * time.Second) // the records are no longer read, but the log of a is still open
		f.coordinates("c", record.Event{Type: record.RunEnded, RunEnd: succeeded("a")})
		<-f.done
		if f.err != nil || f.end.Status != record.Succeeded {
			t.Errorf("got %v, %v", f.end, f.err)
		}
		f.want("step_started a\nlog a 1: one\nstep_ended a\nrun_ended")
	})
}

// TestManyStreams: two hundred pods write at once, and all lines are shown.
func TestManyStreams(t *testing.T) {
	const n = 200
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		f.start(t.Context())
		f.pod("c", "", 0, running(), 0)
		var names []string
		for i := range n {
			name := fmt.Sprintf("s%03d", i)
			names = append(names, name)
			f.coordinates("c", record.Event{Type: record.StepStarted, Step: name})
			f.pod(name, name, 1, running(), 0)
			f.api.NewLog(name, 50) // the connection to each is cut once, in the middle of a line
		}
		for range 3 {
			for _, name := range names {
				f.prints(name, name, 1, "a line of "+name, "another")
			}
			time.Sleep(1500 * time.Millisecond)
		}
		if most := f.api.MostStreams(); most < n {
			t.Errorf("%d streams at once", most)
		}
		for _, name := range names {
			line := "a line of " + name + "\nanother\n"
			f.stores(name, 1, line+line+line)
		}
		f.coordinates("c", record.Event{Type: record.RunEnded, RunEnd: succeeded(names...)})
		<-f.done
		got := map[string]string{}
		for _, e := range f.events {
			if e.Type == record.StepLog {
				got[e.Step] += e.Text + ";"
			}
		}
		for _, name := range names {
			line := "a line of " + name + ";another;"
			if got[name] != line+line+line {
				t.Fatalf("%s: %q", name, got[name])
			}
		}
	})
}

// TestWaits: a wait is reported when it lasts, again while it continues, and when it ends.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		ctx, stop := context.WithCancel(t.Context())
		f.start(ctx)
		f.pod("c", "", 0, pending("ContainerCreating"), 0)
		time.Sleep(2 * time.Second)
		f.pod("c", "", 0, running(), 0)
		f.pod("a1", "a", 1, pending("ErrImagePull"), 0)
		time.Sleep(time.Second)
		f.pod("a1", "a", 1, pending("ImagePullBackOff"), 0)
		time.Sleep(70 * time.Second)
		f.pod("b1", "b", 1, pending("ContainerCreating"), 0)
		time.Sleep(4 * time.Second)
		f.pod("b1", "b", 1, running(), 0)
		f.pod("a1", "a", 1, running(), 0)
		time.Sleep(time.Second)
		stop()
		<-f.done
		wait := "step_waiting a: pod a1: ImagePullBackOff: img:1\n"
		f.want(wait + wait + "step_waiting a")
		if !errors.Is(f.err, context.Canceled) {
			t.Errorf("got %v", f.err)
		}
	})
}

// TestWaitOfStepNamedJob: the wait for the run's Job is not confused with that of a step with the name job.
func TestWaitOfStepNamedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		ctx, stop := context.WithCancel(t.Context())
		f.start(ctx)
		f.pod("c", "", 0, running(), 0)
		f.pod("job1", "job", 1, pending("ErrImagePull"), 0)
		time.Sleep(5 * time.Second)
		stop()
		<-f.done
		f.want("step_waiting job: pod job1: ImagePullBackOff: img:1")
	})
}

// TestCancel: the request is reported at once, and the coordinator's event does not report it again.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		cancel := make(chan struct{}, 1)
		f.opts.Cancel = cancel
		f.start(t.Context())
		f.pod("c", "", 0, running(), 0)
		cancel <- struct{}{}
		synctest.Wait()
		f.want("cancel_requested")
		if p := f.api.Patches(); len(p) != 1 || !strings.Contains(p[0], `"uid":"job-1"`) || !strings.Contains(p[0], kube.AnnotationCancel) {
			t.Errorf("got %q", p)
		}
		f.coordinates("c", record.Event{Type: record.CancelRequested, At: time.Now().Add(time.Second)},
			record.Event{Type: record.RunEnded, RunEnd: &record.End{Version: 1, Status: record.Cancelled}})
		<-f.done
		f.want("cancel_requested\nrun_ended")
	})
}

// TestMissingRights: a user who may read neither pods nor their logs receives warnings about the missing rights, and the
// run's events from its records.
func TestMissingRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		f.api.Fault = kubetest.Forbid("pods", "jobs")
		f.start(t.Context())
		time.Sleep(time.Second)
		f.stores("a", 1, "one\n")
		end := succeeded("a")
		f.records(end)
		if err := store.WriteJSON(t.Context(), f.store, f.run.RunKey(), &f.run, store.IfAbsent); err != nil {
			t.Fatal(err)
		}
		<-f.done
		if f.err != nil || f.end.Status != record.Succeeded {
			t.Errorf("got %v, %v", f.end, f.err)
		}
		got := f.observed()
		if !strings.Contains(got, "warning: pods can't be watched") || !strings.Contains(got, "warning: jobs can't be watched") ||
			!strings.HasSuffix(got, "step_started a\nlog a 1: one\nstep_ended a\nrun_ended") {
			t.Errorf("got\n%s", got)
		}
	})
}

// TestStepAlone: only the lines of the selected step are shown.
func TestStepAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollowing(t)
		f.opts.Select.Steps, f.opts.Late = []string{"b"}, true
		f.stores("a", 1, "no\n")
		f.stores("b", 1, "yes\n")
		f.records(succeeded("a", "b"))
		f.job(batchv1.JobComplete, "")
		f.start(t.Context())
		<-f.done
		got := strings.Split(f.observed(), "\n")
		if !slices.Contains(got, "log b 1: yes") || slices.Contains(got, "log a 1: no") {
			t.Errorf("got %q", got)
		}
	})
}
