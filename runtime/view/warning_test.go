package view

import (
	"bytes"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

// A warning is printed at the end of the run, beside its outputs.
func TestWarning(t *testing.T) {
	var out, messages bytes.Buffer
	p := NewPlain(Options{Out: &out, Messages: &messages})
	for _, e := range story() {
		if e.Type == record.RunEnded {
			p.Event(record.Event{Type: record.Warned, At: e.At, Step: "trainer", Text: "results can't be cached: \x1b[31mno room"})
		}
		p.Event(e)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Count(messages.String(), "\nwarning: results can't be cached: ") != 1 || strings.Contains(out.String(), "warning") {
		t.Errorf("%s\n%s", messages.String(), out.String())
	}
	if strings.Contains(messages.String(), "\x1b") {
		t.Errorf("not made safe: %q", messages.String())
	}
}
