package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/record"
)

// The record of an end is the same as if it was encoded in one piece.
func TestWriteEnd(t *testing.T) {
	step := record.StepEnd{Name: "a<b>", Status: record.Succeeded, Outputs: []record.Datum{{Name: "x", Type: "string", Value: json.RawMessage(`"]}<"`)}}}
	for i, steps := range [][]record.StepEnd{nil, {}, {step}, {step, {Name: "c"}, step}} {
		end := &record.End{Version: 1, Status: record.Failed, Message: `"steps":[]}`, At: time.Unix(1, 0).UTC(), Outputs: step.Outputs, Steps: steps}
		s, run := &storetest.Memory{}, &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}
		r := &Run{c: Config{Store: s, Record: run}, end: end}
		if err := r.writeEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := store.ReadAll(t.Context(), s, run.EndKey())
		if err != nil {
			t.Fatal(err)
		}
		if want, err := store.EncodeJSON(end); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d: %s\nwant %s (%v)", i, got, want, err)
		}
		if err := r.writeEnd(t.Context()); !errors.Is(err, store.ErrExists) {
			t.Errorf("%d: a second end: %v", i, err)
		}
	}
}

// full is a store that can't copy streams to a disk.
type full struct{ store.Store }

func (s full) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if _, ok := r.(io.Seeker); !ok {
		return &fs.PathError{Op: "write", Path: "/tmp/x", Err: syscall.ENOSPC}
	}
	return s.Store.Put(ctx, key, r, mode)
}

// A run ends although the disk of its coordinator is full.
func TestWriteEndOnFullDisk(t *testing.T) {
	s, run := &storetest.Memory{}, &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}
	end := &record.End{Version: 1, Status: record.Succeeded, Steps: []record.StepEnd{{Name: "a", Status: record.Succeeded}}}
	r := &Run{c: Config{Store: full{s}, Record: run}, end: end}
	if err := r.writeEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := store.ReadJSON[record.End](t.Context(), s, run.EndKey())
	if err != nil || got.Status != record.Succeeded || len(got.Steps) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// cloned clones large values.
type cloned struct{}

func (cloned) Keep(v []byte) []byte {
	if len(v) < 3 {
		return v
	}
	return bytes.Clone(v)
}

func (cloned) Release() {}

// Values are replaced in a copy of the result.
func TestKeep(t *testing.T) {
	r := &Run{c: Config{Values: cloned{}}}
	result := &record.Result{Outputs: []record.Datum{{Name: "a", Value: json.RawMessage("1")}, {Name: "b"}, {Name: "c", Value: json.RawMessage("123")}}}
	e := record.Event{Result: result}
	r.keep(&e)
	if e.Result == result || &e.Result.Outputs[2].Value[0] == &result.Outputs[2].Value[0] || string(e.Result.Outputs[2].Value) != "123" || &e.Result.Outputs[0].Value[0] != &result.Outputs[0].Value[0] {
		t.Errorf("%+v", e.Result)
	}
	e = record.Event{Result: &record.Result{Outputs: result.Outputs[:2]}}
	small := e.Result
	if r.keep(&e); e.Result != small {
		t.Error("a result without large values was copied")
	}
	r.keep(&record.Event{})
}
