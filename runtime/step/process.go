package step

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/record"
)

// ErrShutdown is a cause (context.WithCancelCause): the machine or the pod is shutting down. A context that ends with
// another cause cancels the run.
var ErrShutdown = errors.New("interrupted from outside")

// process is one process to run.
type process struct {
	argv    []string
	env     []string
	dir     string
	timeout time.Duration // 0: none
	grace   time.Duration
	out     io.Writer // stdout and stderr, interleaved
	started func(pid int)
	memory  *Memory
	input   *os.File     // stdin
	keeps   []*os.File   // further files that it inherits, as descriptors from 3 on
	later   func(func()) // runs work that nothing waits for

	simulate func(context.Context, Command) Exit // runs instead of the process; nil: the process runs
}

// exit is how a process ended.
type exit struct {
	code     int // -1 if a signal ended it
	signal   syscall.Signal
	timedOut bool
	stopped  error // why it was asked to end: the context's cause
	oom      bool  // the kernel killed a process because memory ran out
}

// run starts the process and waits for its end. When it returns, no process of the group is alive.
//
// It replaces os/exec, whose additional work (goroutines that wait and copy, a poller for files that can't be polled)
// takes longer than a small process. Here one thread waits for a process that writes nothing.
func (p *process) run(ctx context.Context) (exit, *failure) {
	if p.simulate != nil {
		return p.simulated(ctx), nil
	}
	program, fail := lookPath(p.argv[0], p.env, p.dir)
	if fail != nil {
		return exit{}, fail
	}
	kills := p.memory.kills()
	c, err := p.start(program)
	if err != nil {
		return exit{}, startFailure(p.argv[0], program, err)
	}
	stop := newStopper(ctx, c.pid, p.timeout, p.grace)
	if p.started != nil {
		p.started(c.pid)
	}
	if c.awaitWord() {
		c.listen(p.out)
	}
	status := c.finish(stop.over)
	c.rest(p.out)
	p.later(c.release)
	end := stop.end
	end.code = status.ExitStatus()
	if status.Signaled() {
		end.signal = status.Signal()
	}
	if end.signal == syscall.SIGKILL && end.stopped == nil && !end.timedOut {
		end.oom = p.memory.kills() > kills
	}
	return end, nil
}

// start starts the process with an empty input, and its output connected to a pipe.
func (p *process) start(program string) (*child, error) {
	var fds [2]int
	if err := pipe(&fds); err != nil {
		return nil, err
	}
	c, out := &child{handle: -1, r: fds[0]}, uintptr(fds[1])
	files := []uintptr{p.input.Fd(), out, out}
	for _, f := range p.keeps {
		files = append(files, f.Fd())
	}
	var err error
	c.pid, _, err = syscall.StartProcess(program, p.argv, &syscall.ProcAttr{
		Dir: p.dir, Env: p.env, Files: files, Sys: ownGroup(&c.handle),
	})
	closeFD(&fds[1])
	if err != nil {
		c.release()
		return nil, err
	}
	return c, nil
}

func startFailure(name, program string, err error) *failure {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return userFailure(record.ReasonStart, "can't start %q: it is not a program for this machine, and has no #! line (name its interpreter: [\"sh\", %q])", name, name)
	case errors.Is(err, syscall.E2BIG):
		return userFailure(record.ReasonStart, "can't start %q: the arguments and environment variables are too long; "+
			"pass file names instead (input.x.path), and read the files in the process", name)
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return infrastructureFailure(record.ReasonStart, "can't start %q: %s", name, plain(err))
	}
	if f := badPath(name, program); f != nil {
		return f
	}
	if errors.Is(err, fs.ErrNotExist) {
		return userFailure(record.ReasonStart, "can't start %q: the interpreter in its #! line, its loader or the working directory is missing", name)
	}
	return userFailure(record.ReasonStart, "can't start %q: %s", name, plain(err))
}

func (e *exit) String() string {
	if e.signal != 0 {
		return fmt.Sprintf("was ended by %s", unix.SignalName(e.signal))
	}
	return fmt.Sprintf("ended with exit code %d", e.code)
}
