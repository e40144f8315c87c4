// Pipec-agent is the small program inside a step's pod: it runs the wrapper of runtime/step around the user's process.
// It holds nothing of the compiler, of emit or of the command line of pipec.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

const usage = `usage: pipec-agent step --spec FILE
       pipec-agent version

step     run one attempt of a step, as the spec says
version  print the version
`

// The exit statuses, besides that of the step's process.
const (
	exitStep  = 1  // the step failed otherwise than by an exit code of its own
	exitWorld = 3  // its result could not be written
	exitUsage = 64 // as sysexits.h has it
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		cancel(step.ErrShutdown)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "step":
		return runStep(ctx, args[1:], stdout, stderr)
	case "version":
		fmt.Fprintln(stdout, "pipec-agent", version())
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	fmt.Fprintf(stderr, "pipec-agent: there is no command %q\n%s", args[0], usage)
	return exitUsage
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// task is what the file of --spec holds: the step's spec, and which store to use.
type task struct {
	Store program.Store `json:"store"`
}

func runStep(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("step", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("spec", "", "the `FILE` with the step's spec, as JSON")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	if *file == "" || flags.NArg() > 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	spec, st, err := load(*file)
	if err != nil {
		fmt.Fprintln(stderr, "pipec-agent:", err)
		return exitWorld
	}
	defer st.Close()
	result, err := step.Run(ctx, spec, step.Deps{
		Store: st, Environ: os.Environ(), Secrets: secrets(spec, os.LookupEnv),
		Line: func(line []byte) {
			_, _ = stdout.Write(append(line[:len(line):len(line)], '\n'))
		},
	})
	if result.Message != "" {
		fmt.Fprintf(stderr, "pipec-agent: step %s: %s: %s\n", spec.Step, result.Reason, result.Message)
	}
	if err != nil {
		fmt.Fprintln(stderr, "pipec-agent:", err)
		return exitWorld
	}
	return exitCode(&result)
}

func exitCode(r *record.Result) int {
	switch {
	case r.Status == record.Succeeded:
		return 0
	case r.ExitCode != nil && *r.ExitCode != 0:
		return *r.ExitCode
	}
	return exitStep
}

func load(file string) (*step.Spec, *store.Local, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	spec, err := step.Decode(data)
	if err != nil {
		return nil, nil, err
	}
	var t task
	if err := store.DecodeJSON(data, &t); err != nil {
		return nil, nil, err
	}
	if t.Store.Kind != "local" || t.Store.Path == "" {
		return nil, nil, fmt.Errorf("%s: the store is of kind %q; this agent knows local, with a path", file, t.Store.Kind)
	}
	st, err := store.OpenLocal(t.Store.Path)
	return spec, st, err
}

// secrets are found in the agent's own environment, where the pod puts them by the step's names.
func secrets(spec *step.Spec, lookup func(string) (string, bool)) map[string]string {
	out := map[string]string{}
	for _, s := range spec.Program.SecretEnv {
		if value, ok := lookup(s.Name); ok {
			out[s.Name] = value
		}
	}
	return out
}
