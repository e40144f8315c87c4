package shell_test

import (
	"os/exec"
	"testing"

	"pipec.dev/pipec/runtime/shell"
)

// TestWord: a shell reads back what was written, and what is plain stays so.
func TestWord(t *testing.T) {
	for _, text := range []string{
		"", "a.b-c_d/e:f@sha256,g=h+i%", "größe", "each[0]", `each["it's"]`, "a b", "a\tb", "a\nb", "$HOME", "`id`", `\`, "~", "#", "a;b", "*", "!x", "'", "\xff",
	} {
		out, err := exec.Command("sh", "-c", "printf %s "+shell.Word(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q is read as %q: %v", text, out, err)
		}
	}
	for _, text := range []string{"a.b-c_d/e:f@sha256,g=h+i%", "größe"} {
		if got := shell.Word(text); got != text {
			t.Errorf("%s", got)
		}
	}
}
