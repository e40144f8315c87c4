// Pipec-agent is the small program that runs inside the cluster. In the pod of a run it is the coordinator
// (runtime/kube). In the pod of a step it is the wrapper of runtime/step around the user's process. It contains no code
// of the compiler, of emit, or of pipec's command line.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store/stores"
)

const usage = `usage: pipec-agent coordinate
       pipec-agent step [--spec FILE]
       pipec-agent copy DIR
       pipec-agent version

coordinate  drive the run of this pod's Job
step        run one attempt of a step, from PIPEC_SPEC or a file
copy        copy this program into a directory
version     print the version
`

// The exit statuses, in addition to those of the step's process and of a run.
const (
	exitStep        = 1  // the step failed, but not by an exit code of its own
	exitEnvironment = 3  // the environment failed: the result could not be written, or the run could not be recorded
	exitUsage       = 64 // EX_USAGE of sysexits.h
	exitStopped     = 75 // interrupted before it finished: it has to be started again
)

// version is set by the linker.
var version string

// agent is the environment of a command.
type agent struct {
	stdout, stderr io.Writer
	lookup         func(string) (string, bool)
	environ        []string
	stores         stores.Set // opens artifact stores; nil: stores.Builtin()
	root           string     // root of the file system; "" except in tests
}

func main() {
	keys := takeKeys()
	unshielded := shield()
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		cancel(step.ErrShutdown)
	}()
	a := agent{stdout: os.Stdout, stderr: os.Stderr, lookup: keys.lookup, environ: os.Environ()}
	if unshielded != nil {
		a.say("%s", unshielded)
	}
	os.Exit(a.run(ctx, os.Args[1:]))
}

func (a *agent) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(a.stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "coordinate":
		return a.coordinate(ctx, args[1:])
	case "step":
		return a.stepSafely(ctx, args[1:])
	case "copy":
		return a.copy(args[1:])
	case "version", "--version":
		fmt.Fprintln(a.stdout, "pipec-agent", versionText())
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(a.stdout, usage)
		return 0
	}
	fmt.Fprintf(a.stderr, "pipec-agent: unknown command %q\n%s", args[0], usage)
	return exitUsage
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func (a *agent) getenv(name string) string {
	value, _ := a.lookup(name)
	return value
}

func (a *agent) say(format string, args ...any) {
	fmt.Fprintf(a.stderr, "pipec-agent: "+format+"\n", args...)
}

// terminationLog is where Kubernetes reads how a container ended. It does not exist outside a pod.
const terminationLog = "/dev/termination-log"

func (a *agent) terminate(message []byte) {
	f, err := os.OpenFile(a.root+terminationLog, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return
	}
	_, _ = f.Write(message)
	_ = f.Close()
}
