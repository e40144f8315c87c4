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
func (w *World) commands(step string) {
	for i, c := range w.Commands {
		if c.On != step {
			continue
		}
		w.mu.Lock()
		fired := w.fired[i]
		w.fired[i] = true
		w.mu.Unlock()
		if !fired {
			time.AfterFunc(w.until(max(c.After, 200*time.Millisecond), "command "+c.Approve), func() { w.execute(c) })
		}
	}
}

func (w *World) execute(c Command) {
	if c.Approve == "" {
		w.Cancel()
		return
	}
	answer := record.Answer{By: "user", At: time.Now().UTC().Truncate(time.Second), Value: json.RawMessage(c.Value)}
	text, _ := json.Marshal(&answer)
	w.annotate(kube.AnnotationApprove+record.AnswerName(c.Approve), string(text), "approve "+c.Approve)
}

// Cancel cancels the run.
func (w *World) Cancel() { w.annotate(kube.AnnotationCancel, "2000-01-01T00:00:00Z", "cancel") }

func (w *World) annotate(name, value, what string) {
	w.History.Add(history.Event{Who: "user", What: history.Command, Text: what})
	w.API.AnnotateJob(w.Run, name, value)
}

// DeleteJob deletes the Job, and with it the pods that belong to it, as the garbage collector does.
func (w *World) DeleteJob() {
	w.History.Add(history.Event{Who: "user", What: history.Command, Text: "delete the Job"})
	w.API.Remove("jobs", w.Run)
	w.mu.Lock()
	w.gone = true
	lives := w.lives
	w.mu.Unlock()
	for _, c := range lives {
		time.AfterFunc(w.until(time.Second, c.name+" is collected"), c.stop)
	}
	time.AfterFunc(w.until(2*time.Second, "the pods are collected"), func() {
		for _, n := range w.all() {
			w.deletePod(n.name)
		}
	})
}

func (w *World) isGone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}
