package history_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// BenchmarkReplay folds the log of a run of 10,000 steps, as a successor does at the end of such a run:
// docs/internals/takeover-and-leases.md explains why there are no snapshots.
func BenchmarkReplay(b *testing.B) {
	const steps, segments = 10_000, 170
	p := &program.Program{Version: 1, Pipeline: "p", MaxParallel: steps}
	for i := range steps {
		p.Steps = append(p.Steps, program.Step{Name: fmt.Sprintf("s%05d", i), Retry: program.Retry{Attempts: 1}})
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	run := &record.Run{Version: 1, Name: "r", Pipeline: "p", Namespace: "n", CreatedAt: at}
	s, seq, bytesRead := &storetest.Memory{}, int64(0), 0
	var segment bytes.Buffer
	add := func(e record.Event) {
		seq++
		e.Version, e.Seq, e.At, e.Run = 1, seq, at, run.Name
		data, err := store.EncodeJSON(&e)
		if err != nil {
			b.Fatal(err)
		}
		segment.Write(data)
	}
	add(record.Event{Type: record.RunStarted})
	written := int64(0)
	for i := range steps {
		name := p.Steps[i].Name
		add(record.Event{Type: record.AttemptStarted, Step: name, Attempt: 1})
		add(record.Event{Type: record.AttemptEnded, Step: name, Attempt: 1, Result: &record.Result{
			Version: 1, Run: run.Name, Step: name, Attempt: 1, Status: record.Succeeded, StartedAt: at, EndedAt: at, Log: record.Log{Segments: 1, Bytes: 1000},
		}})
		if (i+1)%(steps/segments+1) == 0 || i == steps-1 {
			bytesRead += segment.Len()
			if err := s.Put(b.Context(), run.LogKey(written), bytes.NewReader(segment.Bytes()), store.IfAbsent); err != nil {
				b.Fatal(err)
			}
			written++
			segment.Reset()
		}
	}
	b.SetBytes(int64(bytesRead))
	for b.Loop() {
		fold, err := history.NewFold(p, run)
		if err != nil {
			b.Fatal(err)
		}
		if err := fold.Read(b.Context(), s, run, nil); err != nil {
			b.Fatal(err)
		}
		if fold.Seq != seq {
			b.Fatalf("the last event is %d, expected %d", fold.Seq, seq)
		}
	}
}
