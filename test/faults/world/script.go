package world

import (
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"pipec.dev/pipec/runtime/step"
)

// End is how a script ends its pod.
type End int

// The ends. All but Exit are without the wrapper's doing.
const (
	Exit   End = iota // the process ends by itself, and the wrapper concludes
	Vanish            // the node and the pod's object vanish while the process runs
	OOM               // the kernel kills the process because memory ran out
	Killed            // the kernel kills the wrapper too because memory ran out
	Evict             // the kubelet evicts the pod
	Wait              // the process runs until it is asked to end
)

// Script is what a user's process does.
type Script struct {
	Run     time.Duration // how long it runs
	End     End
	Code    int               // its exit code
	Outputs map[string]string // the contents of outputs, by their names
	Log     string            // what it writes
	Deaf    bool              // it doesn't end when it is asked to
}

// process returns the process of the script for the wrapper. perish ends the pod from outside.
func (s *Script) process(n *node) func(context.Context, step.Command) step.Exit {
	return func(ctx context.Context, c step.Command) step.Exit {
		n.processStarted()
		_, _ = io.WriteString(c.Out, s.Log)
		if !s.run(ctx, c.Killed, n) {
			n.w.pause(context.Background(), 100*time.Millisecond, n.name+" ends")
			return step.Exit{Code: 143}
		}
		switch s.End {
		case Vanish, Killed, Evict:
			n.perish(s.End)
			return step.Exit{Code: -1, Signal: syscall.SIGKILL}
		case OOM:
			return step.Exit{Code: -1, Signal: syscall.SIGKILL, OOM: true}
		}
		for _, entry := range c.Env {
			name, path, _ := strings.Cut(entry, "=")
			if output, ok := strings.CutPrefix(name, "PIPEC_OUTPUT_"); ok {
				_ = os.WriteFile(path, []byte(s.Outputs[output]), 0o666)
			}
		}
		return step.Exit{Code: s.Code}
	}
}

// run waits while the process runs, and reports whether it ends by itself.
func (s *Script) run(ctx context.Context, killed <-chan struct{}, n *node) bool {
	if s.Deaf {
		deaf, end := context.WithCancel(context.WithoutCancel(ctx))
		defer end()
		go func() {
			select {
			case <-killed:
				end()
			case <-deaf.Done():
			}
		}()
		ctx = deaf
	}
	if s.End == Wait {
		<-ctx.Done()
		return false
	}
	return n.w.pause(ctx, s.Run, n.name+" runs")
}
