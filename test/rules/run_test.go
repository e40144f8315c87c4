package rules

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/internal/rules"
	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/schema/record"
)

// world is the environment of the cases: a driver and its stack.
type world struct {
	driver  string
	bin     string // where pipec and pipec-agent are
	environ []string
	stack   string // the text of the file with the stack
	image   string // the image to use for "busybox"
	flags   []string
}

// play runs a case in an empty directory, and returns the outcome.
func (w *world) play(ctx context.Context, c *rules.Case, dir string) (string, error) {
	if err := w.write(c, dir); err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range c.Runs {
		if err := w.command(ctx, c, &c.Runs[i], dir, &b); err != nil {
			return b.String(), fmt.Errorf("%s: %w", strings.Join(c.Runs[i].Command, " "), err)
		}
	}
	return b.String(), nil
}

// write writes the project.
func (w *world) write(c *rules.Case, dir string) error {
	for _, f := range c.Files {
		text := string(f.Data)
		if w.image != "" {
			text = strings.ReplaceAll(text, `"busybox"`, `"`+w.image+`"`)
			text = strings.ReplaceAll(text, "image: busybox\n", "image: "+w.image+"\n")
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "stack.pipec.hcl"), []byte(w.stack), 0o644)
}

// command runs one of the case's commands, and writes the transcript.
func (w *world) command(ctx context.Context, c *rules.Case, r *rules.Run, dir string, b *strings.Builder) error {
	fmt.Fprintf(b, "$ %s\n", strings.Join(r.Command, " "))
	args := slices.Clone(r.Command[1:])
	follows := args[0] == "run" || args[0] == "rerun"
	if follows {
		args = append(args, "-o", "json")
	}
	if args[0] == "run" && !slices.Contains(args, "--parallel") {
		args = append(args, w.flags...)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, "pipec"), args...)
	cmd.Dir, cmd.Env = dir, w.environ
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	acts := &acts{w: w, c: c, dir: dir, left: slices.Clone(r.Acts)}
	var events []record.Event
	var text strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Buffer(nil, 64<<20); lines.Scan(); { // the last event contains all steps
		var e record.Event
		if !follows || json.Unmarshal(lines.Bytes(), &e) != nil || e.Type == "" {
			fmt.Fprintln(&text, lines.Text())
			continue
		}
		events = append(events, e)
		acts.see(ctx, e)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	exit := 0
	var ended *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &ended) {
		exit = ended.ExitCode()
	} else if err != nil {
		return err
	}
	if err := acts.wait(); err != nil {
		return err
	}
	if exit >= 3 && exit != 64 && exit != 130 || exit < 0 {
		return fmt.Errorf("exit status %d\n%s%s", exit, text.String(), stderr.String())
	}
	told := text.String()
	if len(events) > 0 && events[len(events)-1].RunEnd != nil {
		told += transcript(c, w.driver, events)
	} else if exit != 0 {
		told += stderr.String()
	}
	if told = strings.ReplaceAll(told, dir, "."); w.image != "" {
		told = strings.ReplaceAll(told, w.image, "busybox")
	}
	b.WriteString(told)
	fmt.Fprintf(b, "exit status %d\n", exit)
	return nil
}

// acts runs commands while another command runs.
type acts struct {
	w    *world
	c    *rules.Case
	dir  string
	left []rules.Act
	done []chan error
}

func (a *acts) see(ctx context.Context, e record.Event) {
	if e.Type != record.StepLog {
		return
	}
	i := slices.IndexFunc(a.left, func(act rules.Act) bool { return act.Step == e.Step && act.Line == e.Text })
	if i < 0 {
		return
	}
	act := a.left[i]
	a.left = slices.Delete(a.left, i, i+1)
	done := make(chan error, 1)
	a.done = append(a.done, done)
	go func() {
		cmd := exec.CommandContext(ctx, act.Command[0], act.Command[1:]...)
		if act.Command[0] == "pipec" {
			cmd = exec.CommandContext(ctx, filepath.Join(a.w.bin, "pipec"), act.Command[1:]...)
		}
		cmd.Dir, cmd.Env = a.dir, a.w.environ
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %w\n%s", strings.Join(act.Command, " "), err, out)
		}
		done <- err
	}()
}

func (a *acts) wait() error {
	var errs []error
	for _, done := range a.done {
		errs = append(errs, <-done)
	}
	for _, act := range a.left {
		errs = append(errs, fmt.Errorf("%s has not written %q", act.Step, act.Line))
	}
	return errors.Join(errs...)
}

// TestMain removes what was built.
func TestMain(m *testing.M) { testcluster.Main(m) }
