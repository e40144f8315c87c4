// Command pipec compiles ML pipelines and runs them. Each command is one file: flags to options, one call of a library,
// the result to a view. What a command does is in compiler, emit and runtime; here is how it is asked for and shown.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"golang.org/x/term"

	"pipec.dev/pipec/runtime/cluster/connect"
)

func main() {
	// A short process: memory is cheap for as long as it is little, and collecting it costs a third of a compile.
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(memoryLimit(0))
	connect.Quiet()
	app := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Environ(),
		terminal: term.IsTerminal(int(os.Stdout.Fd())),
	}
	os.Exit(app.main(context.Background(), os.Args[1:]))
}
