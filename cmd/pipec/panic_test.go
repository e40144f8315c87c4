package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("a fault that quotes hunter2") }

// TestPanic checks that a panic ends a command with a short message, and with its stack only if the user asks for it.
func TestPanic(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		var out, errs bytes.Buffer
		var in io.Reader = panickingReader{}
		c := &cli{terminal: newTerminal(in, &out, &errs, func(string) string { return "" })}
		if verbose {
			c.env = []string{debugVariable + "=1"}
		}
		if got := c.main(t.Context(), []string{"-C", t.TempDir(), "fmt", "-"}); got != exitInternal {
			t.Fatalf("exit status %d\n%s%s", got, &out, &errs)
		}
		text := errs.String()
		if !strings.HasPrefix(text, "Error: internal error of pipec") {
			t.Error(text)
		}
		if strings.Contains(text, "hunter2") != verbose || strings.Contains(text, "goroutine") != verbose {
			t.Errorf("with %s=%t:\n%s", debugVariable, verbose, text)
		}
	}
}
