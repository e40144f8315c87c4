package step

import (
	"context"
	"io"
	"syscall"
	"time"
)

// Command is what a step's process is started with.
type Command struct {
	Args []string
	Env  []string // NAME=value
	Dir  string
	Out  io.Writer // stdout and stderr
	// Killed is closed when the process is gone, by SIGKILL if it has not ended.
	Killed <-chan struct{}
}

// Exit is how a simulated process has ended.
type Exit struct {
	Code   int
	Signal syscall.Signal // 0: it has exited with Code
	OOM    bool           // the kernel killed it because memory ran out
}

// simulated runs Deps.Simulate in place of the process, under the rules of a process: it is asked to end, by the end of its
// context, when its timeout is over or ctx ends, and is gone at the end of its grace.
func (p *process) simulated(ctx context.Context) exit {
	asked, ask := context.WithCancel(context.WithoutCancel(ctx))
	defer ask()
	ended, killed := make(chan Exit, 1), make(chan struct{})
	defer close(killed)
	go func() {
		ended <- p.simulate(asked, Command{Args: p.argv, Env: p.env, Dir: p.dir, Out: p.out, Killed: killed})
	}()
	var end exit
	var timeout, kill <-chan time.Time
	if p.timeout > 0 {
		timeout = time.After(p.timeout)
	}
	stop := ctx.Done()
	for {
		select {
		case x := <-ended:
			end.code, end.signal, end.oom = x.Code, x.Signal, x.OOM
			return end
		case <-stop:
			end.stopped = context.Cause(ctx)
		case <-timeout:
			end.timedOut = true
		case <-kill:
			end.code, end.signal = -1, syscall.SIGKILL
			return end
		}
		stop, timeout, kill = nil, nil, time.After(max(p.grace, 0))
		ask()
	}
}
