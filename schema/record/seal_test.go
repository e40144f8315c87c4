package record_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

func TestSeal(t *testing.T) {
	run := record.Run{Namespace: "ml", Pipeline: "p", Name: "r", UID: "4f0c"}
	key := run.SealKey("a", 1)
	other := run
	other.UID = "4f0d"
	for _, k := range []string{run.SealKey("a", 2), run.SealKey("b", 1), other.SealKey("a", 1)} {
		if k == key {
			t.Error("two attempts have the same key")
		}
	}
	const object = `{"version":1,"status":"succeeded"}` + "\n"
	sealed := string(record.Seal(key, record.SealResult, []byte(object)))
	if !record.Sealed(key, record.SealResult, []byte(sealed)) || !record.Sealed(key, record.SealResult, []byte(strings.TrimSpace(sealed))) {
		t.Fatalf("%s is not sealed", sealed)
	}
	var back struct{ Status, Seal string }
	if err := json.Unmarshal([]byte(sealed), &back); err != nil || back.Status != "succeeded" || len(sealed) != len(object)+record.SealSize+1 {
		t.Errorf("%s: %+v, %v", sealed, back, err)
	}
	for name, forged := range map[string]string{
		"unsealed":     object,
		"changed":      strings.Replace(sealed, "succeeded", "cancelled", 1),
		"seal changed": sealed[:len(sealed)-10] + "0000000" + sealed[len(sealed)-3:],
		"no hex":       sealed[:len(sealed)-4] + "x" + sealed[len(sealed)-3:],
		"longer":       strings.Replace(sealed, `{"version"`, `{"status":"failed","version"`, 1),
		"twice":        string(record.Seal(run.SealKey("a", 2), record.SealResult, []byte(sealed))),
		"empty":        "",
		"brace":        "}",
		"only a seal":  sealed[strings.Index(sealed, `,"seal`):],
		"other end":    sealed + "x",
	} {
		if record.Sealed(key, record.SealResult, []byte(forged)) {
			t.Errorf("%s: %q counts as sealed", name, forged)
		}
	}
	if record.Sealed(key, record.SealTermination, []byte(sealed)) || record.Sealed("", record.SealResult, record.Seal("", record.SealResult, []byte(object))) {
		t.Error("a seal is valid for another kind, or without a key")
	}
}

func FuzzSealed(f *testing.F) {
	key := (&record.Run{UID: "u"}).SealKey("a", 1)
	f.Add([]byte(`{"a":1}`))
	f.Add(record.Seal(key, record.SealResult, []byte(`{"a":1}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		sealed := record.Seal(key, record.SealResult, data)
		if len(sealed) > len(data) && !record.Sealed(key, record.SealResult, sealed) {
			t.Errorf("%q is not sealed", sealed)
		}
		record.Sealed(key, record.SealTermination, data)
	})
}
