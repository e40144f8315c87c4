package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// debugVariable is the environment variable with which an internal error is printed with its stack.
const debugVariable = "PIPEC_DEBUG"

// panicked prints a panic that no part of pipec has handled, and returns the exit status. The function that recovered it must
// call panicked. The text of a panic could quote a secret, so that only the texts of Go's own errors are always printed.
func (c *cli) panicked(p any) int {
	reason := "internal error of pipec"
	verbose := slices.ContainsFunc(c.env, func(entry string) bool {
		name, value, _ := strings.Cut(entry, "=")
		return name == debugVariable && value != ""
	})
	if _, safe := p.(runtime.Error); safe || verbose {
		reason += fmt.Sprintf(": %v", p)
	}
	fmt.Fprintln(c.stderr, c.paint("31;1", "Error: ")+reason)
	if verbose {
		_, _ = c.stderr.Write(debug.Stack())
	} else {
		fmt.Fprintf(c.stderr, "Please report it to pipec's authors, with the output of the same command with %s=1.\n", debugVariable)
	}
	return exitInternal
}
