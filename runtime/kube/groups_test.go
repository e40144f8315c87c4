package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kube/groups"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// crowd counts the running pods of a group, by their labels.
type crowd struct {
	mu  sync.Mutex
	max int
	all int
}

// grouped returns a rig whose steps are in a group with this many slots.
func grouped(t *testing.T, steps, limit int) (*rig, *crowd) {
	p := &program.Program{Project: "x", OnFailure: "continue", MaxParallel: 10}
	for i := range steps {
		p.Steps = append(p.Steps, program.Step{
			Name: fmt.Sprintf("s%02d", i), Retry: program.Retry{Attempts: 2, Infrastructure: 3}, Concurrency: &program.Concurrency{Group: "gpu", Limit: limit},
		})
	}
	r := newRig(t, p)
	c := &crowd{}
	r.runs = func(pod corev1.Pod) {
		if pod.Labels[groupKey] != "gpu" {
			t.Errorf("the pod %s has the labels %v", pod.Name, pod.Labels)
		}
		in := r.inGroup()
		c.mu.Lock()
		c.all++
		c.max = max(c.max, in)
		c.mu.Unlock()
		time.Sleep(3 * time.Millisecond)
	}
	return r, c
}

var groupKey = groups.Label("x", "gpu")

// inGroup is how many pods of the group run.
func (r *rig) inGroup() int {
	n := 0
	for _, p := range kubetest.All[*corev1.Pod](r.api, "pods") {
		if p.Labels[groupKey] == "gpu" && p.Status.Phase == corev1.PodRunning {
			n++
		}
	}
	return n
}

// coordinateAs runs a coordinator of another run.
func (r *rig) coordinateAs(ctx context.Context, job string, s *deadStore, out io.Writer) (*record.End, error) {
	return Coordinate(ctx, Options{
		Client: r.api.Client(kubetest.Namespace), Store: s, Program: r.encoded, Namespace: kubetest.Namespace, Job: job, JobUID: kubetest.JobUID(job), Pod: job, PodUID: job, Out: noBugs{r.t, out}, pace: r.pace,
	})
}

func (r *rig) noGroups() {
	r.t.Helper()
	for _, l := range kubetest.All[*coordinationv1.Lease](r.api, "leases") {
		if strings.HasPrefix(l.Name, "pipec-group-") {
			r.t.Errorf("at the end there is %s: %v", l.Name, l.Annotations)
		}
	}
}

// TestGroupFaults: several runs in one group, their coordinators killed and started again while the API server fails:
// never more are in than may be, all end, and the group is empty.
func TestGroupFaults(t *testing.T) {
	seeds := 24
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		inBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewSource(int64(seed)))
			limit := 1 + seed%3
			r, c := grouped(t, 1+rnd.Intn(5), limit)
			// Without silence: a run that ends waits 30 s for the release of its slot, which is as long as one unanswered request takes.
			// The next run takes the slot over (TestGroupUnanswered).
			r.api.Fault = faults(rnd, rnd.Intn(4), false)
			fails := rnd.Intn(3) == 0
			r.outcome = func(_ string, attempt int) *record.Result {
				if fails && attempt == 1 {
					return &record.Result{Status: record.Failed, Class: record.ClassUser, Reason: record.ReasonError}
				}
				return &record.Result{Status: record.Succeeded}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var runs sync.WaitGroup
			for i := range 3 {
				job := fmt.Sprintf("run-%d", i)
				r.api.PutJob(job)
				lives, own := rnd.Intn(4), rand.New(rand.NewSource(rnd.Int63()))
				runs.Go(func() { r.killed(ctx, job, lives, own) })
			}
			runs.Wait()
			attempts := 3 * len(r.program.Steps)
			if fails {
				attempts *= 2
			}
			if c.max > limit || c.all != attempts {
				t.Errorf("%d were in at once, of %d; %d attempts of %d", c.max, limit, c.all, attempts)
			}
			r.noGroups()
		})
	}
}

// killed drives a run whose coordinators die so often.
func (r *rig) killed(ctx context.Context, job string, lives int, rnd *rand.Rand) {
	for life := 0; ; life++ {
		s := &deadStore{Store: r.store}
		lived, die := context.WithCancel(ctx)
		if life < lives {
			crash := rnd.Intn(2) == 0
			time.AfterFunc(time.Duration(rnd.Intn(60))*time.Millisecond, func() {
				if crash {
					s.dead.Store(true)
				}
				die()
			})
		}
		end, err := r.coordinateAs(lived, job, s, io.Discard)
		die()
		switch {
		case err == nil:
			if end.Status != record.Succeeded {
				r.t.Errorf("%s ended %s: %s", job, end.Status, end.Message)
			}
			return
		case ctx.Err() != nil || !errors.Is(err, ErrStopped) && !s.dead.Load():
			r.t.Errorf("%s, life %d: %v", job, life, err)
			return
		}
	}
}

// member returns an entry of another run in the Lease of the group.
func member(job string) groups.Member {
	return groups.Member{Run: job, UID: kubetest.JobUID(job), Step: "train", Attempt: 1}
}

// seat writes entries into the Lease of the group, as earlier runs have left them.
func (r *rig) seat(annotation string, members ...groups.Member) {
	data, _ := json.Marshal(members)
	name := kube.GroupLease("x", "gpu")
	l, ok := kubetest.Find[*coordinationv1.Lease](r.api, "leases", name)
	if !ok {
		l = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: kubetest.Namespace, UID: "lease", Labels: map[string]string{kube.LabelComponent: kube.ComponentGroup}, Annotations: map[string]string{},
		}}
	}
	l.Annotations[annotation] = string(data)
	r.api.Put(l)
}

// watcher reports lines that a coordinator writes.
type watcher struct {
	waits chan record.Event
}

func (w *watcher) Write(line []byte) (int, error) {
	var e record.Event
	if json.Unmarshal(line, &e) == nil && e.Type == record.StepWaiting {
		w.waits <- e
	}
	return len(line), nil
}

// TestGroupTakenOver: the slot of a run whose Job is gone or has failed is taken over when its coordinator and its pods are gone
// too, and not before. The slot of a run whose Job is running is not.
func TestGroupTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, groupTakenOver)
}

func groupTakenOver(t *testing.T) {
	r, c := grouped(t, 1, 1)
	r.api.PutJob("old")
	r.api.PutJob("run-0")
	r.api.PutCoordinator("old-coordinator", "old")
	r.api.PutStep("old-step", "old", map[string]string{groupKey: "gpu"})
	r.api.PutStep("old-other", "old", nil) // in no group
	r.seat(kube.AnnotationHolders, member("old"))
	out := &watcher{make(chan record.Event, 10)}
	done := make(chan *record.End)
	go func() {
		end, err := r.coordinateAs(t.Context(), "run-0", &deadStore{Store: r.store}, out)
		if err != nil {
			t.Error(err)
		}
		done <- end
	}()
	if e := <-out.waits; e.Step != "s00" || e.Text != "a slot in group gpu: run old (step train) holds it" {
		t.Errorf("it waits for %+v", e)
	}
	stays := func(what string) {
		t.Helper()
		select {
		case <-done:
			t.Fatalf("%s, and the slot was taken", what)
		case <-time.After(100 * time.Millisecond):
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.all > 0 {
			t.Fatalf("%s, and the slot was taken", what)
		}
	}
	stays("the Job is there")
	r.api.Remove("jobs", "old")
	stays("pods are there")
	r.api.Remove("pods", "old-coordinator")
	stays("the step's pod is there")
	kubetest.Update(r.api, "pods", "old-step", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed })
	if end := <-done; end.Status != record.Succeeded {
		t.Errorf("%+v", end)
	}
	r.noGroups()
}

// TestGroupFinished: what the Job of a member says.
func TestGroupFinished(t *testing.T) {
	for what, c := range map[string]struct {
		uid  string
		cond batchv1.JobConditionType
		want record.Status
	}{
		"runs":     {kubetest.JobUID("old"), "", record.Skipped},
		"suspends": {kubetest.JobUID("old"), batchv1.JobSuspended, record.Skipped},
		"failed":   {kubetest.JobUID("old"), batchv1.JobFailed, record.Succeeded},
		"complete": {kubetest.JobUID("old"), batchv1.JobComplete, record.Succeeded},
		"another":  {"other", "", record.Succeeded},
	} {
		inBubble(t, what, func(t *testing.T) {
			r, _ := grouped(t, 1, 1)
			r.program.Steps[0].Concurrency.Skip = true
			r.encoded, _ = r.program.Encode()
			r.api.PutJob("run-0")
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: kubetest.Namespace, UID: types.UID(c.uid)}}
			if c.cond != "" {
				job.Status.Conditions = []batchv1.JobCondition{{Type: c.cond, Status: corev1.ConditionTrue}}
			}
			r.api.Put(job)
			r.seat(kube.AnnotationHolders, member("old"))
			end, err := r.coordinateAs(t.Context(), "run-0", &deadStore{Store: r.store}, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			s := end.Steps[0]
			if s.Status != c.want || s.Status == record.Skipped && (s.Reason != record.ReasonGroupBusy || s.Message != "group gpu is busy: run old (step train) holds it") {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestGroupLine: earlier waiters come first, except for those that don't enter. Waiters whose Job is gone are removed.
func TestGroupLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, groupLine)
}

func groupLine(t *testing.T) {
	r, _ := grouped(t, 1, 1)
	r.api.PutJob("old")
	r.api.PutJob("run-0")
	r.seat(kube.AnnotationWaiting, member("old"), member("none"))
	out := &watcher{make(chan record.Event, 10)}
	start := time.Now()
	end, err := r.coordinateAs(t.Context(), "run-0", &deadStore{Store: r.store}, out)
	if err != nil || end.Status != record.Succeeded {
		t.Fatal(end, err)
	}
	if e := <-out.waits; e.Text != "a slot in group gpu: other runs are ahead in the queue" {
		t.Errorf("it waits for %+v", e)
	}
	if took := time.Since(start); took < 100*time.Millisecond {
		t.Errorf("they had %s to come", took)
	}
	l, ok := kubetest.Find[*coordinationv1.Lease](r.api, "leases", kube.GroupLease("x", "gpu"))
	if !ok || !strings.Contains(l.Annotations[kube.AnnotationWaiting], kubetest.JobUID("old")) || strings.Contains(l.Annotations[kube.AnnotationWaiting], kubetest.JobUID("none")) || l.Annotations[kube.AnnotationHolders] != "" {
		t.Errorf("the Lease is %+v", l)
	}
}

// TestGroupLineMoves: a waiter that doesn't enter is passed by after its time, also while the Lease changes repeatedly.
func TestGroupLineMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, groupLineMoves)
}

func groupLineMoves(t *testing.T) {
	r, _ := grouped(t, 1, 1)
	r.api.PutJob("old")
	r.api.PutJob("run-0")
	r.seat(kube.AnnotationWaiting, member("old"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	over := make(chan struct{})
	var changes sync.WaitGroup
	changes.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
			}
			kubetest.Update(r.api, "leases", kube.GroupLease("x", "gpu"), func(l *coordinationv1.Lease) { l.Annotations["changed"] = fmt.Sprint(i) })
		}
	})
	end, err := r.coordinateAs(ctx, "run-0", &deadStore{Store: r.store}, io.Discard)
	close(over)
	changes.Wait()
	if err != nil || end.Status != record.Succeeded {
		t.Fatal(end, err)
	}
}

// TestGroupCancelled: a run that is cancelled while it waits is in line no more.
func TestGroupCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, groupCancelled)
}

func groupCancelled(t *testing.T) {
	r, _ := grouped(t, 2, 1)
	r.api.PutJob("old")
	r.api.PutJob("run-0")
	r.seat(kube.AnnotationHolders, member("old"))
	out := &watcher{make(chan record.Event, 10)}
	go func() {
		<-out.waits
		r.cancel("run-0")
	}()
	end, err := r.coordinateAs(t.Context(), "run-0", &deadStore{Store: r.store}, out)
	if err != nil || end.Status != record.Cancelled {
		t.Fatal(end, err)
	}
	l, _ := kubetest.Find[*coordinationv1.Lease](r.api, "leases", kube.GroupLease("x", "gpu"))
	if l.Annotations[kube.AnnotationWaiting] != "" || !strings.Contains(l.Annotations[kube.AnnotationHolders], kubetest.JobUID("old")) {
		t.Errorf("in the group are %v", l.Annotations)
	}
}

// cancel asks for the end of a run.
func (r *rig) cancel(job string) {
	kubetest.Update(r.api, "jobs", job, func(j *batchv1.Job) { j.Annotations = map[string]string{kube.AnnotationCancel: "now"} })
}

// TestGroupCancelledEarly: a run that is cancelled during its first request for a slot is neither among the holders nor in the
// queue when it has ended.
func TestGroupCancelledEarly(t *testing.T) {
	for what, holders := range map[string][]groups.Member{"the slot": nil, "the queue": {member("old")}} {
		inBubble(t, what, func(t *testing.T) {
			r, _ := grouped(t, 1, 1)
			r.api.PutJob("old")
			r.api.PutJob("run-0")
			r.seat(kube.AnnotationHolders, holders...)
			var once sync.Once
			r.api.Fault = func(q *http.Request) kubetest.Fault {
				if q.Method == http.MethodPut && strings.HasSuffix(q.URL.Path, kube.GroupLease("x", "gpu")) {
					once.Do(func() {
						r.cancel("run-0")
						time.Sleep(200 * time.Millisecond)
					})
				}
				return kubetest.Fault{}
			}
			end, err := r.coordinateAs(t.Context(), "run-0", &deadStore{Store: r.store}, io.Discard)
			if err != nil || end.Status != record.Cancelled {
				t.Fatal(end, err)
			}
			time.Sleep(200 * time.Millisecond) // for what would be under way still
			if l, ok := kubetest.Find[*coordinationv1.Lease](r.api, "leases", kube.GroupLease("x", "gpu")); ok && strings.Contains(fmt.Sprint(l.Annotations), "run-0") {
				t.Errorf("in the group are %v", l.Annotations)
			}
		})
	}
}

// TestGroupDamaged: a Lease that can't be read does not make a run wait forever.
func TestGroupDamaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, groupDamaged)
}

func groupDamaged(t *testing.T) {
	r, _ := grouped(t, 1, 1)
	r.api.PutJob("run-0")
	r.seat(kube.AnnotationHolders)
	kubetest.Update(r.api, "leases", kube.GroupLease("x", "gpu"), func(l *coordinationv1.Lease) { l.Annotations[kube.AnnotationHolders] = "{" })
	end, err := r.coordinateAs(t.Context(), "run-0", &deadStore{Store: r.store}, io.Discard)
	if err != nil || end.Steps[0].Reason != record.ReasonGroup || !strings.Contains(end.Steps[0].Message, kube.AnnotationHolders) {
		t.Errorf("%+v, %v", end, err)
	}
}
