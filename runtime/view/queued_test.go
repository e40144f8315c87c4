package view

import (
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

// rowOf returns the row of a step in the next frame.
func rowOf(t *testing.T, m *model, o *Options, name string) string {
	t.Helper()
	for _, r := range m.frame(o, 100, 24, at(5000)) {
		if strings.Contains(r.text, " "+name+" ") {
			return r.text
		}
	}
	t.Fatalf("there is no row of %s", name)
	return ""
}

// A step spins while it runs, and not while its pod or its instances wait.
func TestQueuedStepsDoNotSpin(t *testing.T) {
	m, o := newModel([]string{"pod", "fan"}), &Options{Detached: true}
	for _, e := range []record.Event{started(0, "pod"), started(0, "fan"), {Type: record.StepWaiting, Step: "fan[0]", At: at(0)}} {
		m.event(&e)
	}
	if row := rowOf(t, m, o, "pod"); !strings.HasPrefix(row, "… pod") || !strings.Contains(row, "starting") {
		t.Errorf("before its process runs: %q", row)
	}
	if row := rowOf(t, m, o, "fan"); !strings.HasPrefix(row, "… fan") || !strings.Contains(row, "queued") {
		t.Errorf("before an instance runs: %q", row)
	}
	for _, e := range []record.Event{{Type: record.AttemptStarted, Step: "pod", Attempt: 1, At: at(1000)}, started(1000, "fan[0]")} {
		m.event(&e)
	}
	for _, name := range []string{"pod", "fan"} {
		if row := rowOf(t, m, o, name); strings.HasPrefix(row, "…") || strings.Contains(row, "starting") || strings.Contains(row, "queued") {
			t.Errorf("while it runs: %q", row)
		}
	}
	retried := record.Event{Type: record.StepRetried, Step: "pod", Attempt: 1, Text: "the node was lost", At: at(2000)}
	m.event(&retried)
	again := record.Event{Type: record.StepStarted, Step: "pod", Attempt: 2, At: at(3000)}
	m.event(&again)
	if row := rowOf(t, m, o, "pod"); !strings.HasPrefix(row, "… pod") {
		t.Errorf("between two attempts: %q", row)
	}
	local := &Options{}
	if row := rowOf(t, m, local, "pod"); strings.HasPrefix(row, "…") {
		t.Errorf("on this machine: %q", row)
	}
}

// The end lists every step of a small run, and sums up those of a large one.
func TestTableIsLimited(t *testing.T) {
	m := newModel(nil)
	end := &record.End{Status: record.Failed, Reason: record.ReasonStepsFailed, At: at(1000)}
	for i := range 1000 {
		name, status := "s"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/26), record.Succeeded
		if i == 999 {
			status = record.Failed
		}
		e := ended(1000, name, status, nil)
		m.event(&e)
		end.Steps = append(end.Steps, *e.End)
	}
	last := record.Event{Type: record.RunEnded, At: at(1000), RunEnd: end}
	m.event(&last)
	var b strings.Builder
	m.table(&Options{}, &b)
	if got := strings.Count(b.String(), "\n"); got > maxTable+2 || !strings.Contains(b.String(), "✗") || !strings.Contains(b.String(), "more: 800 succeeded") {
		t.Errorf("%d lines:\n%s", got, b.String()[max(0, b.Len()-400):])
	}
}
