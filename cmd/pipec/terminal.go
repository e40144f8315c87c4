package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/view/screen"
)

// terminal is where commands read and write.
type terminal struct {
	stdin    io.Reader
	stdout   io.Writer // the product; if it is a terminal, without control sequences
	stderr   io.Writer // the talk; likewise
	drawOut  io.Writer // stdout for what moves the cursor
	drawErr  io.Writer // stderr for what moves the cursor
	terminal bool      // stdout is one
	plain    bool      // the environment asks for no colours
	dumb     bool      // the terminal can't move its cursor
	noColor  bool      // --no-color
}

// newTerminal returns the terminal of a process with that environment.
func newTerminal(stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) *terminal {
	dumb := getenv("TERM") == "dumb"
	return &terminal{
		stdin: stdin, stdout: guarded(stdout), stderr: guarded(stderr), drawOut: stdout, drawErr: stderr, terminal: isTerminal(stdout),
		plain: dumb || getenv("NO_COLOR") != "", dumb: dumb,
	}
}

// guarded returns a writer that keeps control sequences from a terminal. Other files get the bytes unchanged.
func guarded(w io.Writer) io.Writer {
	if isTerminal(w) {
		return screen.New(w)
	}
	return w
}

// close resets the colors of the terminal.
func (t *terminal) close() {
	for _, w := range []io.Writer{t.stdout, t.stderr} {
		if s, ok := w.(*screen.Writer); ok {
			_ = s.Close()
		}
	}
}

// together reports whether stdout and stderr are the same file or terminal.
func (t *terminal) together() bool {
	out, ok := t.drawOut.(*os.File)
	messages, also := t.drawErr.(*os.File)
	if !ok || !also {
		return false
	}
	a, err := out.Stat()
	b, bad := messages.Stat()
	return err == nil && bad == nil && os.SameFile(a, b)
}

// color reports whether output is coloured.
func (t *terminal) color() bool { return t.terminal && !t.noColor && !t.plain }

func (t *terminal) paint(code, text string) string {
	if !t.color() {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// size returns the terminal's size, or zeros.
func (t *terminal) size() (columns, rows int) {
	if f, ok := t.drawOut.(*os.File); ok && t.terminal {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil {
			return w, h
		}
	}
	return 0, 0
}

// diagnostics prints errors and warnings of source files on stderr.
func (t *terminal) diagnostics(list []diag.Diagnostic, sources map[string][]byte) error {
	if len(list) == 0 {
		return nil
	}
	return fault.Env(diag.Human(t.stderr, diag.NewView(list, sources), t.diagOptions()))
}

func (t *terminal) diagOptions() diag.Options {
	columns, _ := t.size()
	return diag.Options{Color: t.color(), Width: columns, Limit: diag.DefaultLimit}
}

// canAsk reports whether there is a user to ask.
func (t *terminal) canAsk() bool {
	f, ok := t.stdin.(*os.File)
	return ok && t.terminal && term.IsTerminal(int(f.Fd()))
}

// confirm asks for consent. Without it, the error is the silent status of a user's fault.
func (t *terminal) confirm(question string) error {
	if _, err := fmt.Fprintf(t.stderr, "%s Only 'yes' is accepted: ", question); err != nil {
		return fault.Env(err)
	}
	answer, err := bufio.NewReader(t.stdin).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(t.stderr)
	}
	if strings.TrimSpace(answer) == "yes" {
		return nil
	}
	fmt.Fprintln(t.stderr, "Nothing was changed.")
	return silent(exitUser)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
