package step

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/record"
)

// ErrShutdown is the cause (context.WithCancelCause) that says: the machine or the pod is told to stop. Without it a
// context that ends means that the run is cancelled.
var ErrShutdown = errors.New("told to stop from outside")

// drainTime is how long output is awaited after the process ended and its group was killed: something else must hold
// the pipe then, a daemon that left the group.
const drainTime = time.Second

// process is one process to run.
type process struct {
	argv    []string
	env     []string
	dir     string
	timeout time.Duration // 0: none
	grace   time.Duration
	out     io.Writer // stdout and stderr, in one order
	started func(pid int)
}

// exit is how a process ended.
type exit struct {
	code     int // -1 where a signal ended it
	signal   syscall.Signal
	timedOut bool
	stopped  error // why it was asked to end: the context's cause
	oom      bool  // the kernel killed for want of memory meanwhile
}

// lookPath finds the program as the process's own environment says, not pipec's.
func lookPath(name string, env []string, dir string) (string, *failure) {
	if strings.ContainsRune(name, '/') {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", userFault(record.ReasonStart, "can't start %q: there is no such file (relative names are looked up in the working directory)", name)
		case err != nil:
			return "", userFault(record.ReasonStart, "can't start %q: %s", name, plain(err))
		case info.IsDir():
			return "", userFault(record.ReasonStart, "can't start %q: it is a directory", name)
		case unix.Access(path, unix.X_OK) != nil:
			return "", userFault(record.ReasonStart, "can't start %q: it is not executable (chmod +x, or name its interpreter: [\"sh\", %q])", name, name)
		}
		return path, nil
	}
	path := lookupEnv(env, "PATH")
	for _, in := range filepath.SplitList(path) {
		if in == "" {
			in = "."
		}
		if !filepath.IsAbs(in) {
			in = filepath.Join(dir, in)
		}
		found := filepath.Join(in, name)
		if info, err := os.Stat(found); err == nil && info.Mode().IsRegular() && unix.Access(found, unix.X_OK) == nil {
			return found, nil
		}
	}
	hint := ""
	if strings.ContainsAny(name, " \t") {
		hint = "; a command is a list, one element an argument"
	} else if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		hint = "; the one in the working directory is \"./" + name + "\""
	}
	return "", userFault(record.ReasonStart, "can't start %q: there is no such program in PATH (%s)%s", name, path, hint)
}

// plain is the reason in an error of the file system, without the operation and the path.
func plain(err error) string {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return perr.Err.Error()
	}
	return err.Error()
}

// run starts the process and waits for its end. Nothing of its process group is alive when it returns.
func (p *process) run(ctx context.Context) (exit, *failure) {
	program, fail := lookPath(p.argv[0], p.env, p.dir)
	if fail != nil {
		return exit{}, fail
	}
	r, w, err := os.Pipe()
	if err != nil {
		return exit{}, worldFault(record.ReasonStart, "can't start %q: %s", p.argv[0], err)
	}
	defer r.Close()
	cmd := &exec.Cmd{
		Path: program, Args: p.argv, Env: p.env, Dir: p.dir, Stdout: w, Stderr: w, SysProcAttr: ownGroup(),
	}
	kills := oomKills()
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		return exit{}, startFailure(p.argv[0], program, err)
	}
	if p.started != nil {
		p.started(cmd.Process.Pid)
	}
	drained := make(chan struct{})
	go func() {
		drain(r, p.out)
		close(drained)
	}()
	end := p.await(ctx, cmd)
	awaitDrained(r, p.out, drained)
	if end.signal == syscall.SIGKILL && end.stopped == nil && !end.timedOut {
		end.oom = oomKills() > kills
	}
	return end, nil
}

func startFailure(name, program string, err error) *failure {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return userFault(record.ReasonStart, "can't start %q: it is no program for this machine, and has no #! line (name its interpreter: [\"sh\", %q])", name, name)
	case errors.Is(err, syscall.E2BIG):
		return userFault(record.ReasonStart, "can't start %q: the arguments and variables are too long together; "+
			"give files' names instead, input.x.path, and let the process read them", name)
	case errors.Is(err, fs.ErrNotExist):
		if _, serr := os.Stat(program); serr == nil {
			return userFault(record.ReasonStart, "can't start %q: the interpreter in its #! line, its loader or the working directory is missing", name)
		}
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return worldFault(record.ReasonStart, "can't start %q: %s", name, plain(err))
	}
	return userFault(record.ReasonStart, "can't start %q: %s", name, plain(err))
}

// await waits for the main process, and ends its group: at the end of time, when the context ends, and after it.
func (p *process) await(ctx context.Context, cmd *exec.Cmd) exit {
	pid := cmd.Process.Pid
	ended := make(chan error, 1)
	go func() {
		ended <- waitGroup(cmd)
	}()
	var end exit
	var timeout, kill <-chan time.Time
	if p.timeout > 0 {
		t := time.NewTimer(p.timeout)
		defer t.Stop()
		timeout = t.C
	}
	done := ctx.Done()
	for {
		select {
		case <-ended:
			end.code = cmd.ProcessState.ExitCode()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				end.signal = status.Signal()
			}
			return end
		case <-timeout:
			end.timedOut = true
		case <-done:
			end.stopped = context.Cause(ctx)
		case <-kill:
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			kill = nil
			continue
		}
		// Asked once, for the first reason.
		timeout, done = nil, nil
		_ = syscall.Kill(-pid, syscall.SIGTERM)
		t := time.NewTimer(max(p.grace, 0))
		defer t.Stop()
		kill = t.C
	}
}

// drain copies until the last writer has closed the pipe, or the deadline. out takes all that it is given.
func drain(r io.Reader, out io.Writer) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			_, _ = out.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// awaitDrained waits for the rest of the output. Where a daemon holds the pipe, what is in it by now is the rest.
func awaitDrained(r *os.File, out io.Writer, drained <-chan struct{}) {
	if r.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		<-drained
		return
	}
	<-drained
	if r.SetReadDeadline(time.Time{}) != nil {
		return
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 64<<10)
	for range 16 { // a pipe holds no more than that
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = unix.Read(int(fd), buf)
			return true
		})
		if err != nil || n <= 0 {
			return
		}
		_, _ = out.Write(buf[:n])
	}
}

func (e *exit) String() string {
	if e.signal != 0 {
		return fmt.Sprintf("was ended by %s", unix.SignalName(e.signal))
	}
	return fmt.Sprintf("ended with exit code %d", e.code)
}
