package drive

import (
	"bytes"
	"encoding/json"
	"errors"
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
