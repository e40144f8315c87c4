package view

import (
	"bytes"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

func TestInline(t *testing.T) {
	for in, want := range map[string]string{
		"plain ünï\tx": "plain ünï\tx", "\x1b[31mred\x1b[0m": "\x1b[31mred\x1b[0m", "\x1b[1mbold": "\x1b[1mbold\x1b[0m",
		"\x1b[2K\x1b[1A50%\b\b\x07": "50%", "a\rb\nc\r": "bc", "\x1b]0;title\x07x": "x", "\u009b1Ax\u0085": "1Ax", "é\xff\x1b[K": "é\xff",
		"\x1b[": "", "x\x1b": "x", "\x1b[?25lx": "x", "\x7f": "",
	} {
		if got := Inline(in); got != want {
			t.Errorf("%q gives %q, not %q", in, got, want)
		}
	}
}

// The states of a line that is overwritten are printed with their step, and the last one is printed once. In the end of a
// failed step's log, a state is replaced by what follows.
func TestOverwritten(t *testing.T) {
	var out, messages bytes.Buffer
	p := NewPlain(Options{Out: &out, Messages: &messages})
	line := func(step string, attempt int, text string, part record.Part) {
		p.Event(record.Event{Type: record.StepLog, Run: "r", Step: step, Attempt: attempt, Text: text, Part: part})
	}
	line("a", 1, "10%", record.PartState)
	line("b", 1, "10%", "")
	line("a", 1, "20%\x1b[K", record.PartState)
	line("a", 2, "20%\x1b[K", "")
	line("a", 1, "20%\x1b[K", "")
	line("a", 1, "20%\x1b[K", "")
	line("a", 1, "30%", record.PartState)
	line("a", 1, "\x1b[K", record.PartState)
	line("a", 1, "done", "")
	line("a", 1, "\x1b[K", record.PartState)
	line("a", 1, "end", "")
	p.Event(record.Event{Type: record.RunEnded, Run: "r", RunEnd: &record.End{Status: record.Failed, Steps: []record.StepEnd{{Name: "a", Status: record.Failed, Attempts: 1}}}})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if want := "a | 10%\nb | 10%\na | 20%\na | 20%\na | 20%\na | 30%\na | \na | done\na | \na | end\n"; out.String() != want {
		t.Errorf("%q, not %q", out.String(), want)
	}
	if want := "  | 20%\n  | 20%\n  | 20%\n  | done\n  | end\n"; !strings.Contains(messages.String(), want) || strings.Contains(messages.String(), "10%") {
		t.Errorf("%q", messages.String())
	}
}
