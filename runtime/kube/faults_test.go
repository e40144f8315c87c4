package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// deadStore is a store that a coordinator which was killed can't write to any more.
type deadStore struct {
	store.Store
	dead atomic.Bool
}

func (s *deadStore) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if s.dead.Load() {
		return errors.New("the coordinator is dead")
	}
	return s.Store.Put(ctx, key, r, mode)
}

// rig is a run with its fake cluster.
type rig struct {
	t       *testing.T
	api     *kubetest.API
	store   store.Store
	program *program.Program
	encoded []byte
	// outcome returns the result of an attempt; nil: its pod vanishes, and leaves nothing.
	outcome func(step string, attempt int) *record.Result
	// runs is called for each running pod.
	runs func(pod corev1.Pod)
	// pace is the first pause between the tries of a request; 0: as on a cluster.
	pace time.Duration
	// seal is Options.Seal.
	seal bool
}

func newRig(t *testing.T, p *program.Program) *rig {
	t.Helper()
	r := &rig{t: t, api: kubetest.New(t), store: &storetest.Memory{}, program: p, pace: time.Millisecond}
	p.Version, p.Pipeline, p.Target = program.Version, "p", &program.Target{Stack: "k8s", Namespace: "ns", StoreGrace: program.Duration(time.Second)}
	for _, s := range p.All() {
		s.Pod, _ = json.Marshal(corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: new(int64(1)), Containers: []corev1.Container{{Name: kube.ContainerMain, Image: "i"}},
		}})
		if len(s.Command) == 0 {
			s.Command = []program.Value{{Const: json.RawMessage(`"true"`)}}
		}
	}
	var err error
	if r.encoded, err = p.Encode(); err != nil {
		t.Fatal(err)
	}
	r.outcome = func(string, int) *record.Result { return &record.Result{Status: record.Succeeded} }
	r.api.Kubelet, r.api.Latency = r.kubelet, time.Millisecond
	r.api.Put(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "run", Namespace: "ns", UID: "job"}})
	return r
}

// kubelet runs a pod: it starts, does what a wrapper does, and ends.
func (r *rig) kubelet(pod corev1.Pod) {
	task, err := step.DecodeTask(context.Background(), r.store, pod.Spec.Containers[0].Env[0].Value)
	if err != nil {
		r.t.Error(err)
		return
	}
	start := metav1.Now()
	time.Sleep(time.Millisecond)
	if !kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodRunning
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: kube.ContainerMain, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: start}}}}
	}) {
		return // it was deleted before
	}
	if r.runs != nil {
		r.runs(pod)
	}
	result := r.outcome(task.Step, task.Attempt)
	if result == nil {
		r.api.Remove("pods", pod.Name)
		return
	}
	full := *result
	full.Version, full.Run, full.Step, full.Attempt = record.Version, task.Run, task.Step, task.Attempt
	full.StartedAt, full.EndedAt = start.Time, time.Now()
	data, err := store.EncodeJSON(&full)
	if err == nil {
		data = record.Seal(sealOf(&pod), record.SealResult, data)
		err = r.store.Put(context.Background(), task.ResultKey(), bytes.NewReader(data), store.IfAbsent)
	}
	if err != nil {
		r.t.Errorf("%s had a second pod: %v", task.ResultKey(), err)
	}
	kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodSucceeded
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: start, FinishedAt: metav1.Now(), Reason: "Completed"}}
	})
}

// inBubble runs a subtest with the clock of a testing/synctest bubble.
func inBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

// noBugs fails a test whose coordinator reports a bug of its own, such as an illegal move of an attempt.
type noBugs struct {
	t *testing.T
	io.Writer
}

func (n noBugs) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(bugNote)) {
		n.t.Errorf("the coordinator reports %s", p)
	}
	return n.Writer.Write(p)
}

// coordinate runs one coordinator.
func (r *rig) coordinate(ctx context.Context, s store.Store, pod string, out io.Writer) (*record.End, error) {
	return Coordinate(ctx, Options{
		Client: r.api.Client("ns"), Store: s, Program: r.encoded, Namespace: "ns", Job: "run", JobUID: "job", Pod: pod, PodUID: pod, Out: noBugs{r.t, out}, pace: r.pace, Seal: r.seal,
	})
}

// expected is the end of the run when nothing but the steps fails.
func (r *rig) expected() *record.End {
	state, err := engine.New(r.program, &record.Run{Name: "run", UID: "job", Pipeline: "p"}, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	queue := []record.Event{{Type: record.RunStarted}}
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		e.At = time.Unix(0, 0)
		var actions []engine.Action
		state, actions = engine.Next(state, e)
		for _, a := range actions {
			switch a := a.(type) {
			case engine.StartAttempt:
				queue = append(queue, record.Event{Type: record.AttemptEnded, Step: a.Step, Attempt: a.Attempt, Result: r.outcome(a.Step, a.Attempt)})
			case engine.SetTimer:
				queue = append(queue, record.Event{Type: record.TimerFired, Timer: a.Name})
			case engine.End:
				return &a.End
			}
		}
	}
	r.t.Fatal("the engine doesn't end")
	return nil
}

// check compares the end with what is expected, and sees that every pod was made once.
func (r *rig) check(end *record.End) {
	r.t.Helper()
	want := r.expected()
	text := func(e *record.End) string {
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s\n", e.Status, e.Reason)
		for _, s := range e.Steps {
			fmt.Fprintf(&b, "%s %s %d\n", s.Name, s.Status, s.Attempts)
		}
		return b.String()
	}
	if got, want := text(end), text(want); got != want {
		r.t.Errorf("the run ended\n%swant\n%s", got, want)
	}
	attempts := 0
	for _, s := range want.Steps {
		attempts += s.Attempts
	}
	if n := len(r.api.Made()); n != attempts {
		r.t.Errorf("%d pods were made for %d attempts", n, attempts)
	}
	for name, n := range r.api.Made() {
		if n != 1 {
			r.t.Errorf("the pod %s was made %d times", name, n)
		}
	}
	if d := r.api.Deletes(); len(d) > 0 {
		r.t.Errorf("pods were deleted: %v", d)
	}
}

// random makes a program and how its attempts end.
func random(rnd *rand.Rand) (*program.Program, func(string, int) *record.Result) {
	p := &program.Program{OnFailure: "continue", MaxParallel: 1 + rnd.Intn(10)}
	ends := map[string][]*record.Result{}
	n := 1 + rnd.Intn(12)
	for i := range n {
		s := program.Step{Name: fmt.Sprintf("s%02d", i), Retry: program.Retry{Attempts: 1 + rnd.Intn(3), Infrastructure: 2}}
		for j := range i {
			if rnd.Intn(4) == 0 {
				kind := []program.NeedKind{program.NeedOrder, program.NeedStatus}[rnd.Intn(2)]
				s.Needs = append(s.Needs, program.Need{Step: fmt.Sprintf("s%02d", j), Kind: kind})
			}
		}
		p.Steps = append(p.Steps, s)
		for range 8 {
			code := 1 + rnd.Intn(3)
			ends[s.Name] = append(ends[s.Name], []*record.Result{
				{Status: record.Succeeded}, {Status: record.Succeeded},
				{Status: record.Failed, Class: record.ClassUser, Reason: record.ReasonError, ExitCode: &code},
				{Status: record.TimedOut, Class: record.ClassUser, Reason: record.ReasonTimeout},
			}[rnd.Intn(4)])
		}
	}
	return p, func(step string, attempt int) *record.Result { return ends[step][(attempt-1)%8] }
}

// Whatever the API server does, and however often the coordinator dies, a run ends as it would without: each attempt has
// one pod.
func TestFaults(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		inBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewSource(int64(seed)))
			p, outcome := random(rnd)
			r := newRig(t, p)
			r.outcome = outcome
			r.api.Fault = faults(rnd, rnd.Intn(4), true)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			for life := 0; ; life++ {
				s := &deadStore{Store: r.store}
				lived, die := context.WithCancel(ctx)
				var deaths *time.Timer
				if life < seed%4 {
					crash := rnd.Intn(2) == 0
					deaths = time.AfterFunc(time.Duration(rnd.Intn(40))*time.Millisecond, func() {
						if crash {
							s.dead.Store(true)
						}
						die()
					})
				}
				end, err := r.coordinate(lived, s, "pod", io.Discard)
				if deaths != nil {
					deaths.Stop()
				}
				die()
				if err == nil {
					r.check(end)
					return
				}
				if ctx.Err() != nil || !errors.Is(err, ErrStopped) && !s.dead.Load() {
					t.Fatalf("life %d: %v", life, err)
				}
			}
		})
	}
}

// faults makes requests fail, one of so many; 0: none does. With silence, some are never answered.
func faults(rnd *rand.Rand, often int, silence bool) func(*http.Request) kubetest.Fault {
	if often == 0 {
		return func(*http.Request) kubetest.Fault { return kubetest.Fault{} }
	}
	var mu sync.Mutex
	own := rand.New(rand.NewSource(rnd.Int63()))
	return func(r *http.Request) kubetest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if own.Intn(2+3*often) != 0 {
			return kubetest.Fault{}
		}
		all, silent := []kubetest.Fault{kubetest.Busy, kubetest.Broken, kubetest.Cut, kubetest.Lost}, []kubetest.Fault{kubetest.Mute, kubetest.Hang}
		if r.URL.Query().Get("watch") != "" {
			all, silent = []kubetest.Fault{kubetest.Expired, kubetest.Cut, kubetest.Busy, kubetest.Broken}, []kubetest.Fault{kubetest.Mute}
		}
		if silence {
			all = append(all, silent...)
		}
		return all[own.Intn(len(all))]
	}
}

// Two coordinators at once: the cluster reports that the first one is dead, which it isn't. One of them ends the run, and each
// attempt has one pod.
func TestTwoCoordinators(t *testing.T) {
	t.Parallel()
	synctest.Test(t, twoCoordinators)
}

func twoCoordinators(t *testing.T) {
	p := &program.Program{OnFailure: "continue", MaxParallel: 10}
	for i := range 30 {
		s := program.Step{Name: fmt.Sprintf("s%02d", i), Retry: program.Retry{Attempts: 1}}
		if i > 0 {
			s.Needs = []program.Need{{Step: fmt.Sprintf("s%02d", i-1), Kind: program.NeedOrder}}
		}
		p.Steps = append(p.Steps, s)
	}
	r := newRig(t, p)
	half := make(chan struct{})
	var once sync.Once
	r.outcome = func(step string, _ int) *record.Result {
		if step == "s10" {
			once.Do(func() { close(half) })
		}
		return &record.Result{Status: record.Succeeded}
	}
	type answer struct {
		end *record.End
		err error
	}
	first := make(chan answer, 1)
	go func() {
		end, err := r.coordinate(t.Context(), r.store, "one", io.Discard)
		first <- answer{end, err}
	}()
	<-half
	r.api.Put(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: "ns", UID: "one"}, Status: corev1.PodStatus{
		Phase:             corev1.PodFailed,
		ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}}}},
	}})
	end, err := r.coordinate(t.Context(), r.store, "two", io.Discard)
	a := <-first
	ended := 0
	for _, got := range []answer{{end, err}, a} {
		switch {
		case got.err == nil:
			ended++
			r.check(got.end)
		case !errors.Is(got.err, ErrTakenOver):
			t.Errorf("a coordinator: %v", got.err)
		}
	}
	if ended == 0 {
		t.Errorf("neither coordinator ended the run: %v, %v", err, a.err)
	}
}

// A pod that is there under the attempt's name is adopted only if it is the attempt's.
func TestAdoption(t *testing.T) {
	steps := []program.Step{{Name: "a", Retry: program.Retry{Attempts: 1, Infrastructure: 1}}}
	for _, c := range []struct {
		what   string
		change func(*corev1.Pod)
		want   string
	}{
		{"the same", func(*corev1.Pod) {}, ""},
		{"another owner", func(p *corev1.Pod) { p.OwnerReferences[0].UID = "other" }, "another run"},
		{"no owner", func(p *corev1.Pod) { p.OwnerReferences = nil }, "another run"},
		{"another step", func(p *corev1.Pod) { p.Annotations[kube.AnnotationStep] = "b" }, `belongs to step "b"`},
		{"another attempt", func(p *corev1.Pod) { p.Labels[kube.LabelAttempt] = "2" }, "belongs to attempt 2"},
		{"another spec", func(p *corev1.Pod) { p.Annotations[kube.AnnotationSpec] = "sha256:x" }, "another spec"},
	} {
		inBubble(t, c.what, func(t *testing.T) {
			// The pod that would be made is taken from a run of the same program.
			var made corev1.Pod
			model := newRig(t, &program.Program{OnFailure: "continue", MaxParallel: 1, Steps: slices.Clone(steps)})
			model.api.Kubelet = func(pod corev1.Pod) { made = pod; model.kubelet(pod) }
			if _, err := model.coordinate(t.Context(), model.store, "one", io.Discard); err != nil {
				t.Fatal(err)
			}
			r := newRig(t, &program.Program{OnFailure: "continue", MaxParallel: 1, Steps: slices.Clone(steps)})
			pod := made.DeepCopy()
			c.change(pod)
			pod.UID = "there"
			r.api.Put(pod)
			r.api.Go(func() { r.kubelet(*pod) })
			end, err := r.coordinate(t.Context(), r.store, "one", io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			s := end.Steps[0]
			if c.want == "" && s.Status != record.Succeeded || c.want != "" && (s.Reason != ReasonConflict || !strings.Contains(s.Message, c.want)) {
				t.Errorf("the step ended %+v", s)
			}
			if made := r.api.Made(); len(made) > 0 {
				t.Errorf("pods were made: %v", made)
			}
		})
	}
}

// A coordinator that was started again prints all events again, with the same numbers.
func TestTellsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, tellsAgain)
}

func tellsAgain(t *testing.T) {
	r := newRig(t, &program.Program{OnFailure: "continue", MaxParallel: 1, Steps: []program.Step{
		{Name: "a", Retry: program.Retry{Attempts: 1}},
		{Name: "b", Retry: program.Retry{Attempts: 1}, Needs: []program.Need{{Step: "a", Kind: program.NeedOrder}}},
	}})
	reached, goOn := make(chan struct{}), make(chan struct{})
	r.outcome = func(step string, _ int) *record.Result {
		if step == "b" {
			close(reached)
			<-goOn
		}
		return &record.Result{Status: record.Succeeded}
	}
	var before, after bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := r.coordinate(ctx, r.store, "pod", &before)
		done <- err
	}()
	<-reached
	stop()
	if err := <-done; !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	close(goOn)
	if _, err := r.coordinate(t.Context(), r.store, "pod", &after); err != nil {
		t.Fatal(err)
	}
	told := func(b *bytes.Buffer) map[int64]string {
		out := map[int64]string{}
		for line := range bytes.Lines(b.Bytes()) {
			var e record.Event
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if e.Seq > 0 {
				out[e.Seq] = string(line)
			}
		}
		return out
	}
	first, second := told(&before), told(&after)
	if len(first) < 3 || len(second) <= len(first) {
		t.Fatalf("%d events, and then %d", len(first), len(second))
	}
	for seq, line := range first {
		if second[seq] != line {
			t.Errorf("event %d was\n%sand then\n%s", seq, line, second[seq])
		}
	}
}

// TestLateAnswer: the state of a pod from the watch is kept, although the response to its creation comes later.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, lateAnswer)
}

func lateAnswer(t *testing.T) {
	p := &program.Program{Steps: []program.Step{{Name: "room", Retry: program.Retry{Attempts: 1}, PendingTimeout: program.Duration(time.Second)}}}
	r := newRig(t, p)
	r.api.Fault = func(r *http.Request) kubetest.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/pods") {
			return kubetest.Late
		}
		return kubetest.Fault{}
	}
	r.api.Kubelet = func(pod corev1.Pod) {
		kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "no node has room"}}
		})
	}
	end, err := r.coordinate(t.Context(), r.store, "one", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if s := end.Steps[0]; s.Reason != "Unschedulable" || !strings.Contains(s.Message, "no node has room") {
		t.Errorf("%+v", s)
	}
}
