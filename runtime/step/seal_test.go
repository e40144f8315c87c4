package step_test

import (
	"context"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// TestSealed: a result is sealed with the key of the attempt. If another program has written result.json, the wrapper returns its
// own result and an error, and another process of the attempt with the key counts.
func TestSealed(t *testing.T) {
	const key = "0123"
	x := sh(t, "true")
	x.deps.Seal = key
	first := x.succeeds()
	data, err := store.ReadAll(t.Context(), x.store, x.spec.ResultKey())
	if err != nil || !record.Sealed(key, record.SealResult, data) || record.Sealed("0124", record.SealResult, data) {
		t.Fatalf("%s, %v", data, err)
	}
	message := step.NewTermination(&first, true, key)
	if text := message.Encode(); !record.Sealed(key, record.SealTermination, text) || record.Sealed(key, record.SealResult, text) {
		t.Errorf("the message is %s", text)
	}
	if again, err := step.Run(t.Context(), x.spec, x.deps); err != nil || !again.StartedAt.Equal(first.StartedAt) {
		t.Errorf("another process of the attempt: %+v, %v", again, err)
	}

	y := sh(t, "exit 7")
	y.deps.Seal = key
	forged := record.Result{Version: 1, Status: record.Succeeded}
	if err := store.WriteJSON(t.Context(), y.store, y.spec.ResultKey(), &forged, store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	r, err := step.Run(context.Background(), y.spec, y.deps)
	if err == nil || !strings.Contains(err.Error(), "another program") || r.Status != record.Failed || r.ExitCode == nil || *r.ExitCode != 7 {
		t.Errorf("%+v, %v", r, err)
	}
}
