package step

import (
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

func TestTermination(t *testing.T) {
	code := 7
	r := &record.Result{Version: 1, Status: record.Failed, Class: record.ClassUser, ExitCode: &code, Reason: "Error", Message: strings.Repeat("\"ü\x01", 3000)}
	for _, message := range []string{"", "short", strings.Repeat("a", 5000), r.Message} {
		r.Message = message
		data := NewTermination(r, true, "").Encode()
		if len(data) > MaxTermination || len(data) == 0 {
			t.Fatalf("%d bytes", len(data))
		}
		back, ok := ParseTermination(string(data))
		if !ok || back.Status != record.Failed || *back.ExitCode != 7 || back.Result == "" || message != "" && back.Message == "" {
			t.Errorf("%s gives %+v", data, back)
		}
	}
	if NewTermination(r, false, "").Result != "" {
		t.Error("a result that isn't committed has a digest")
	}
	for _, foreign := range []string{"", "panic: x", "{}", "[]", "null"} {
		if got, ok := ParseTermination(foreign); ok {
			t.Errorf("%q is taken for %+v", foreign, got)
		}
	}
}
