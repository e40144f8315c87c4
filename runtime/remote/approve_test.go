package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// oneJob is an API server with one Job, which takes merge patches of its annotations.
type oneJob struct {
	mu      sync.Mutex
	version int
	job     batchv1.Job
	busy    int  // so many patches cross with another change
	full    bool // no annotation more fits
	who     string
}

func (s *oneJob) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/selfsubjectreviews") && s.who == "":
		return failure(r, 403, "Forbidden", "no"), nil
	case strings.HasSuffix(r.URL.Path, "/selfsubjectreviews"):
		return reply(r, 201, text(`{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"`+s.who+`"}}}`)), nil
	case s.job.UID == "":
		return failure(r, 404, "NotFound", "no such Job"), nil
	case r.Method == http.MethodPatch:
		var patch struct{ Metadata metav1.ObjectMeta }
		data, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(data, &patch); err != nil {
			return nil, err
		}
		if s.busy > 0 {
			s.busy--
			s.version++
		}
		switch {
		case patch.Metadata.UID != s.job.UID || patch.Metadata.ResourceVersion != itoa(s.version):
			return failure(r, 409, "Conflict", "it was changed"), nil
		case s.full:
			return failure(r, 422, "Invalid", "metadata.annotations: Too long"), nil
		}
		s.version++
		for k, v := range patch.Metadata.Annotations {
			metav1.SetMetaDataAnnotation(&s.job.ObjectMeta, k, v)
		}
	}
	s.job.TypeMeta, s.job.ResourceVersion = metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}, itoa(s.version)
	data, err := json.Marshal(s.job)
	return reply(r, 200, text(string(data))), err
}

func newOneJob(t *testing.T) (*oneJob, *Cluster, *Job) {
	s := &oneJob{job: batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: "ml", UID: "u"}}}
	c, err := New(&rest.Config{Host: "http://cluster", Transport: s}, "ml")
	if err != nil {
		t.Fatal(err)
	}
	return s, c, &Job{Name: "r", UID: "u"}
}

func TestApprove(t *testing.T) {
	s, c, job := newOneJob(t)
	ok := &record.StepEnd{Name: `ok["a/b"]`, Ask: &record.Ask{Type: "bool"}}
	name := kube.AnnotationApprove + record.AnswerName(ok.Name)
	if strings.ContainsAny(strings.TrimPrefix(name, "pipec.dev/"), `/["]`) || len(strings.TrimPrefix(name, "pipec.dev/")) > 63 {
		t.Errorf("%s can't be the key of an annotation", name)
	}
	s.busy = 3
	if err := c.Approve(t.Context(), job, ok, &record.Answer{By: "eva", Value: json.RawMessage("true")}); err != nil {
		t.Fatal(err)
	}
	if got := s.job.Annotations[name]; got != `{"by":"eva","value":true}` {
		t.Errorf("written: %s", got)
	}
	var before *AnsweredError
	if err := c.Approve(t.Context(), job, ok, &record.Answer{Reject: true}); !errors.As(err, &before) || !strings.Contains(err.Error(), "was approved already, by eva") {
		t.Errorf("a second answer: %v", err)
	}
	for _, bad := range []string{"{", `{"value":3}`, `{}`} { // written by hand; as none
		s.job.Annotations[name] = bad
		if err := c.Approve(t.Context(), job, ok, &record.Answer{Reject: true}); err != nil || s.job.Annotations[name] != `{"reject":true}` {
			t.Errorf("over %s: %v, %s", bad, err, s.job.Annotations[name])
		}
	}
	other := &record.StepEnd{Name: "other", Ask: &record.Ask{}}
	s.busy = 1000
	if err := c.Approve(t.Context(), job, other, &record.Answer{}); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("a Job that changes all the time: %v", err)
	}
	s.busy, s.full = 0, true
	if err := c.Approve(t.Context(), job, other, &record.Answer{}); err == nil || !strings.Contains(err.Error(), "256 KiB") {
		t.Errorf("a Job that is full: %v", err)
	}
	for _, uid := range []string{"another", ""} {
		s.job.UID = "u"
		job := *job
		if job.UID = uid; uid == "" {
			s.job.UID = ""
		}
		if err := c.Approve(t.Context(), &job, other, &record.Answer{}); err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("a Job that is gone: %v", err)
		}
	}
}

// Of many who answer at once one is first.
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
	if len(taken) != 1 || !strings.Contains(s.job.Annotations[kube.AnnotationApprove+record.AnswerName("ok")], `"`+taken[0]+`"`) {
		t.Errorf("%q were first, and written is %v", taken, s.job.Annotations)
	}
}

func TestWho(t *testing.T) {
	s, c, _ := newOneJob(t)
	if got := c.Who(t.Context()); got != "" {
		t.Errorf("a cluster that doesn't say: %q", got)
	}
	s.who = "eva@example.com"
	if got := c.Who(t.Context()); got != s.who {
		t.Errorf("got %q", got)
	}
}
