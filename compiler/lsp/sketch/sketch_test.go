package sketch

import (
	"strings"
	"testing"
	"time"
)

// TestQuotedLines: what text in quotes costs grows with its lines, and not with their square, whether it is closed or not.
func TestQuotedLines(t *testing.T) {
	const lines = 1 << 19 // a minute and more, were each to look at all that follow
	for _, end := range []string{"\"", ""} {
		src := "a:\n  b: \"x" + strings.Repeat("\n", lines) + "    y" + end + "\nc: 1\n"
		began := time.Now()
		f := Read([]byte(src))
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		entries := f.Root.Entries
		if len(entries) < 2 || len(entries[0].Value.Entries) == 0 {
			t.Fatalf("%d entries", len(entries))
		}
		if text := entries[0].Value.Entries[0].Value; end != "" && !strings.HasSuffix(src[:text.End], "\n    y\"") {
			t.Errorf("it ends at %d of %d", text.End, len(src))
		}
	}
}
