package pages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"pipec.dev/pipec/internal/eventually"
)

// A shell runs the commands of a page. Its directory and its environment outlive a command, as in a terminal.
type shell struct {
	state string // the directory with the files that keep them
	env   []string

	background *process
}

// newShell returns a shell that starts in dir.
func newShell(state, dir string, env []string) (*shell, error) {
	s := &shell{state: state, env: env}
	return s, errors.Join(os.WriteFile(s.file("pwd"), []byte(dir), 0o600), os.WriteFile(s.file("exports"), nil, 0o600))
}

func (s *shell) file(name string) string { return filepath.Join(s.state, name) }

// dir returns the current directory.
func (s *shell) dir() string {
	dir, _ := os.ReadFile(s.file("pwd"))
	return strings.TrimSpace(string(dir))
}

// prepare returns a process that runs a command, with the directory and the exported variables of those before it.
func (s *shell) prepare(ctx context.Context, text string) *exec.Cmd {
	keep := `trap 'status=$?; pwd >"$PAGE_STATE/pwd"; export -p >"$PAGE_STATE/exports"; exit $status' EXIT
. "$PAGE_STATE/exports"
`
	cmd := exec.CommandContext(ctx, "sh", "-e", "-c", keep+text)
	cmd.Dir = s.dir()
	cmd.Env = append(append([]string{}, s.env...), "PAGE_STATE="+s.state)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// run runs a command, and returns what it prints and its exit status.
func (s *shell) run(ctx context.Context, text string) (output string, status int, err error) {
	cmd := s.prepare(ctx, text)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode(), nil
	}
	return string(out), 0, err
}

// A process is a command that is running. Its output is safe for concurrent use.
type process struct {
	cmd  *exec.Cmd
	want []string
	done chan error

	mu  sync.Mutex
	out bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// start runs a command in the background, and returns when it has printed the expected lines.
func (s *shell) start(ctx context.Context, c command) error {
	if s.background != nil {
		return fmt.Errorf("another command is in the background")
	}
	p := &process{cmd: s.prepare(ctx, "trap - EXIT\nexec "+c.text), want: append(c.want, "…"), done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() { p.done <- p.cmd.Wait() }()
	s.background = p
	if !eventually.Holds(5*time.Minute, func() bool { return compare(p.want, p.output(), false) == nil || len(p.done) > 0 }) || len(p.done) > 0 {
		return fmt.Errorf("the command in the background has ended or doesn't continue: %w", compare(c.want, p.output(), false))
	}
	return nil
}

// wait waits until the command in the background has ended, and compares its whole output.
func (s *shell) wait(ctx context.Context, want []string) error {
	p := s.background
	if p == nil {
		return fmt.Errorf("no command is in the background")
	}
	s.background = nil
	select {
	case err := <-p.done:
		return errors.Join(err, compare(append(p.want, want...), p.output(), false))
	case <-ctx.Done():
		return fmt.Errorf("the command in the background doesn't end:\n%s", p.output())
	}
}
