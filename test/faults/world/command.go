package world

import (
	"encoding/json"
	"time"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/faults/history"
)

// Command is what a user does during a run, once.
type Command struct {
	// On is when: at the start of the first process of this step; "": at the start of the run. After that it waits for After.
	On    string
	After time.Duration
	// Approve is the step that is approved; "": the run is cancelled.
	Approve string
	Value   string // of the answer, as JSON
}

// commands executes those that belong to the start of a process of a step; "": to the start of the run.
func (r *run) commands(step string) {
	for i, c := range r.Commands {
		if c.On != step {
			continue
		}
		r.w.mu.Lock()
		fired := r.fired[i]
		r.fired[i] = true
		r.w.mu.Unlock()
		if !fired {
			time.AfterFunc(r.w.until(max(c.After, 200*time.Millisecond), r.title("command "+c.Approve)), func() { r.execute(c) })
		}
	}
}

func (r *run) execute(c Command) {
	if c.Approve == "" {
		r.cancel()
		return
	}
	answer := record.Answer{By: "user", At: time.Now().UTC().Truncate(time.Second), Value: json.RawMessage(c.Value)}
	text, _ := json.Marshal(&answer)
	r.annotate(kube.AnnotationApprove+record.AnswerName(c.Approve), string(text), "approve "+c.Approve)
}

// cancel cancels the run.
func (r *run) cancel() { r.annotate(kube.AnnotationCancel, "2000-01-01T00:00:00Z", "cancel") }

func (r *run) annotate(name, value, what string) {
	r.note(history.Event{Who: "user", What: history.Command, Text: what})
	r.w.API.AnnotateJob(r.Name, name, value)
}

// deleteJob deletes the Job, and with it what belongs to it, as the garbage collector does.
func (r *run) deleteJob() {
	w := r.w
	r.note(history.Event{Who: "user", What: history.Command, Text: "delete the Job"})
	w.API.Remove("jobs", r.Name)
	w.mu.Lock()
	r.gone = true
	lives := r.lives
	w.mu.Unlock()
	for _, c := range lives {
		time.AfterFunc(w.until(time.Second, c.name+" is collected"), c.stop)
	}
	time.AfterFunc(w.until(2*time.Second, r.title("the pods are collected")), func() {
		w.API.Remove("leases", r.Name)
		for _, n := range r.pods() {
			w.deletePod(n.name)
		}
	})
}
