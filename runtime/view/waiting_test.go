package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/schema/record"
)

func TestWaiting(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	var out, messages bytes.Buffer
	o := Options{Out: &out, Messages: &messages, Now: func() time.Time { return at.Add(40 * time.Second) }, Steps: []string{"a", "b"}}
	plain, m := NewPlain(o), newModel(o.Steps)
	for _, e := range []record.Event{
		{Type: record.StepWaiting, At: at, Run: "r", Text: "pod c: Unschedulable: no \x1b[31mnodes"},
		{Type: record.StepWaiting, At: at, Run: "r"},
		{Type: record.StepStarted, At: at, Run: "r", Step: "a"},
		{Type: record.StepWaiting, At: at, Run: "r", Step: "a", Text: "pod x: ImagePullBackOff: none:1"},
	} {
		plain.Event(e)
		m.event(&e)
	}
	want := "run r\nwaiting for pod c: Unschedulable: no nodes (since 40.0s)\na: started\na: waiting for pod x: ImagePullBackOff: none:1 (since 40.0s)\n"
	if got := messages.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	frame := func() string {
		var rows []string
		for _, r := range m.frame(&o, 120, 24, o.now()) {
			rows = append(rows, r.text)
		}
		return strings.Join(rows, "\n")
	}
	if got := frame(); !strings.Contains(got, "… a") || !strings.Contains(got, "waiting for pod x") {
		t.Errorf("got %s", got)
	}
	e := record.Event{Type: record.StepWaiting, At: at, Step: "a"}
	m.event(&e)
	if got := frame(); strings.Contains(got, "waiting") {
		t.Errorf("got %s", got)
	}
	m.wait = wait{"pod c: Unschedulable", at}
	if got := frame(); !strings.Contains(got, "waiting for pod c: Unschedulable (since 40.0s)") {
		t.Errorf("got %s", got)
	}
}
