package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// oneJob is a cluster with one Job.
type oneJob struct {
	api  *kubetest.API
	busy atomic.Int32 // how many patches conflict with another change
	full atomic.Bool  // the Job accepts no more annotations
}

func newOneJob(t *testing.T) (*oneJob, *Client, *Job) {
	s := &oneJob{api: kubetest.New(t)}
	s.api.Put(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: "ml", UID: "u"}})
	s.api.Fault = func(r *http.Request) kubetest.Fault {
		if r.Method != http.MethodPatch {
			return kubetest.Fault{}
		}
		if s.full.Load() {
			return kubetest.Fault{Code: 422, Reason: "Invalid", Message: "metadata.annotations: Too long"}
		}
		if s.busy.Load() > 0 {
			s.busy.Add(-1)
			s.job(func(*batchv1.Job) {})
		}
		return kubetest.Fault{}
	}
	return s, fakeCluster(t, s.api), &Job{Name: "r", UID: "u"}
}

// job changes the Job, and returns it.
func (s *oneJob) job(change func(*batchv1.Job)) *batchv1.Job {
	kubetest.Update(s.api, "jobs", "r", change)
	j, _ := kubetest.Find[*batchv1.Job](s.api, "jobs", "r")
	return j
}

// written returns the Job's annotation with this name.
func (s *oneJob) written(name string) string {
	j, _ := kubetest.Find[*batchv1.Job](s.api, "jobs", "r")
	return j.Annotations[name]
}

func TestApprove(t *testing.T) {
	s, c, job := newOneJob(t)
	ok := &record.StepEnd{Name: `ok["a/b"]`, Ask: &record.Ask{Type: "bool"}}
	name := kube.AnnotationApprove + record.AnswerName(ok.Name)
	if strings.ContainsAny(strings.TrimPrefix(name, "pipec.dev/"), `/["]`) || len(strings.TrimPrefix(name, "pipec.dev/")) > 63 {
		t.Errorf("%s can't be the key of an annotation", name)
	}
	s.busy.Store(3)
	if err := c.Approve(t.Context(), job, ok, &record.Answer{By: "eva", Value: json.RawMessage("true")}); err != nil {
		t.Fatal(err)
	}
	if got := s.written(name); got != `{"by":"eva","value":true}` {
		t.Errorf("written: %s", got)
	}
	var before *AnsweredError
	if err := c.Approve(t.Context(), job, ok, &record.Answer{Reject: true}); !errors.As(err, &before) || !strings.Contains(err.Error(), "was approved already, by eva") {
		t.Errorf("a second answer: %v", err)
	}
	for _, bad := range []string{"{", `{"value":3}`, `{}`} { // written by hand, and ignored
		s.job(func(j *batchv1.Job) { j.Annotations[name] = bad })
		if err := c.Approve(t.Context(), job, ok, &record.Answer{Reject: true}); err != nil || s.written(name) != `{"reject":true}` {
			t.Errorf("over %s: %v, %s", bad, err, s.written(name))
		}
	}
	other := &record.StepEnd{Name: "other", Ask: &record.Ask{}}
	s.busy.Store(1000)
	if err := c.Approve(t.Context(), job, other, &record.Answer{}); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("a Job that changes all the time: %v", err)
	}
	s.busy.Store(0)
	s.full.Store(true)
	if err := c.Approve(t.Context(), job, other, &record.Answer{}); err == nil || !strings.Contains(err.Error(), "256 KiB") {
		t.Errorf("a Job that is full: %v", err)
	}
	for _, uid := range []string{"another", ""} {
		job := *job
		if job.UID = uid; uid == "" {
			s.api.Remove("jobs", "r")
		}
		if err := c.Approve(t.Context(), &job, other, &record.Answer{}); err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("a Job that is gone: %v", err)
		}
	}
}

// TestApproveAtOnce: of many answers at once, one is accepted.
func TestApproveAtOnce(t *testing.T) {
	s, c, job := newOneJob(t)
	ok := &record.StepEnd{Name: "ok", Ask: &record.Ask{}}
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := []string{}
	for i := range 16 {
		all.Go(func() {
			by := fmt.Sprint("eva", i)
			err := c.Approve(t.Context(), job, ok, &record.Answer{By: by})
			var before *AnsweredError
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				taken = append(taken, by)
			} else if !errors.As(err, &before) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(taken) != 1 || !strings.Contains(s.written(kube.AnnotationApprove+record.AnswerName("ok")), `"`+taken[0]+`"`) {
		t.Errorf("%q were accepted, and the annotation is %v", taken, s.written(kube.AnnotationApprove+record.AnswerName("ok")))
	}
}

func TestUsername(t *testing.T) {
	s, c, _ := newOneJob(t)
	if got := c.Username(t.Context()); got != "" {
		t.Errorf("a cluster that doesn't report the name: %q", got)
	}
	s.api.Username = "eva@example.com"
	if got := c.Username(t.Context()); got != s.api.Username {
		t.Errorf("got %q", got)
	}
}
