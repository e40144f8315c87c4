package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/interrupt"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/web"
)

const uiLong = `Serves a page on your runs, and opens it in the browser: the list of runs, and for each run its graph, timeline and table of
steps, while it runs and afterwards. For a step it shows why it ran, was skipped or was cached, its attempts, its log, and
its inputs and outputs. You can approve, reject, cancel and rerun from the page.

The page reads the records in the artifact store of the stack. Nothing is installed anywhere. --stack may be repeated: then
one page shows the runs of several stacks. With the name of a run, the page opens at that run.

The server listens on 127.0.0.1 only, and answers only a browser that was opened with the printed link, which contains a
random token. Ctrl-C ends it. A rerun that was started from the page on this machine is driven by this command, as by
pipec rerun, and is cancelled when the command ends.`

const uiExamples = `  # The runs of the chosen stack
  pipec ui

  # The newest run
  pipec ui latest

  # The runs of two stacks, on a machine without a browser
  pipec ui --stack laptop --stack prod --no-open --port 8080`

// stacksFlag is --stack of a command that takes several stacks.
type stacksFlag struct{ names []string }

func (s *stacksFlag) String() string { return strings.Join(s.names, ",") }
func (s *stacksFlag) Type() string   { return "string" }
func (s *stacksFlag) Set(text string) error {
	s.names = append(s.names, text)
	return nil
}

func uiCommand(c *cli) *cobra.Command {
	var stacks stacksFlag
	var port uint16
	var noOpen bool
	cmd := &cobra.Command{
		Use:               "ui [RUN]",
		Short:             "Open a page on your runs in the browser",
		Long:              uiLong,
		Example:           uiExamples,
		Args:              atMost(1),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.ui(cmd.Context(), first(args), stacks.names, int(port), !noOpen)
		},
	}
	cmd.Flags().AddFlag(&pflag.Flag{Name: "stack", Usage: "the `NAME` of a stack; may be repeated (default: PIPEC_STACK, then the choice of pipec stack use)", Value: &stacks})
	cmd.Flags().Uint16Var(&port, "port", 0, "the port to listen on; 0: any free port")
	cmd.Flags().BoolVar(&noOpen, "no-open", false, "do not open the browser")
	_ = cmd.RegisterFlagCompletionFunc("stack", c.completeStacks)
	return cmd
}

func (c *cli) ui(ctx context.Context, run string, stacks []string, port int, open bool) error {
	o := web.Options{Version: pipecVersion(), Port: port}
	if len(stacks) == 0 {
		stacks = []string{c.stack}
	}
	for _, name := range stacks {
		c.stack = name
		s, err := c.uiStack()
		if err != nil {
			return err
		}
		o.Stacks = append(o.Stacks, *s)
	}
	path := "/"
	if run != "" {
		found, err := c.uiRun(ctx, o.Stacks, run)
		if err != nil {
			return err
		}
		path += found
	}
	o.Started = func(run string) { fmt.Fprintf(c.stderr, "Run %s was started from the page.\n", run) }
	server, err := web.Listen(o)
	if err != nil {
		return fault.Env(err)
	}
	link := server.URL(path)
	fmt.Fprintf(c.stderr, "The page is at %s\nCtrl-C ends it.\n", link)
	if open {
		defer c.openBrowser(link)()
	}
	in, stop := onSignals()
	defer stop()
	return c.serve(ctx, server, in)
}

// serve serves the page until an interrupt. Further ones reach the runs that the page has started.
func (c *cli) serve(ctx context.Context, server *web.Server, in <-chan interrupt.Interrupt) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	further := make(chan interrupt.Interrupt, 2)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for first := true; ; first = false {
			select {
			case i := <-in:
				if !first {
					select {
					case further <- i:
					default:
					}
					continue
				}
				if names := server.Driven(); len(names) > 0 {
					fmt.Fprintf(c.stderr, "Waiting for the end of what the page has started: %s\n", strings.Join(names, ", "))
				}
				cancel()
			case <-ended:
				return
			}
		}
	}()
	return fault.Env(server.Serve(ctx, further))
}

// uiStack opens the project with the chosen stack.
func (c *cli) uiStack() (*web.Stack, error) {
	project, flags := c.open(), c.sharedFlags()
	runs, err := project.Runs()
	if err != nil {
		return nil, err
	}
	return &web.Stack{
		Name: runs.StackName(), Kind: runs.StackKind(), Flags: flags, Runs: runs.Orchestrator,
		Runner: func() (orchestrator.Orchestrator, error) {
			now, err := project.Runner() // the project as it is when a run is started
			if err != nil {
				return nil, err
			}
			return now.Orchestrator, nil
		},
	}, nil
}

// uiRun returns the query of the page on a run.
func (c *cli) uiRun(ctx context.Context, stacks []web.Stack, name string) (string, error) {
	var failed error
	for i := range stacks {
		found, err := web.Find(ctx, &stacks[i], name)
		if err == nil {
			q := url.Values{"stack": {stacks[i].Name}, "pipeline": {found.Pipeline}, "run": {found.Name}}
			return "?" + q.Encode(), nil
		}
		failed = err
	}
	return "", failed
}

// openBrowser opens a link, and returns a function that removes what it has written. Other users can see the arguments of
// processes, so the browser gets the path of a file that only this user can read, and not the link with its token. If there is
// no browser, the printed link is enough.
func (c *cli) openBrowser(link string) (remove func()) {
	none := func() {}
	dir, err := filepath.Abs(filepath.Join(c.dir, ".pipec"))
	if err != nil || os.MkdirAll(dir, 0o777) != nil {
		return none
	}
	f, err := os.CreateTemp(dir, "ui-*.html") // with the mode 0600
	if err != nil {
		return none
	}
	remove = func() { _ = os.Remove(f.Name()) }
	_, err = fmt.Fprintf(f, `<!doctype html><title>pipec</title><meta http-equiv="refresh" content="0;url=%s">`, html.EscapeString(link))
	if err := errors.Join(err, f.Close()); err != nil {
		return remove
	}
	name, args := "xdg-open", []string{f.Name()}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", f.Name()}
	}
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err == nil {
		go func() { _ = cmd.Wait() }()
	}
	return remove
}
