package main

import (
	"errors"
	"fmt"

	"pipec.dev/pipec/internal/app/fault"
)

// The exit statuses.
const (
	exitOK          = 0
	exitUser        = 1   // the project's files, or the run: failed, cancelled, timed out
	exitChanges     = 2   // there are changes: plan --detailed-exitcode
	exitInternal    = 2   // a panic: the status with which Go ends a process too
	exitEnvironment = 3   // the cluster, the store, the registry, the disk
	exitUsage       = 64  // the command line
	exitInterrupted = 130 // Ctrl-C
)

// statuses are those of the kinds of faults.
var statuses = map[fault.Kind]int{
	fault.User: exitUser, fault.Usage: exitUsage, fault.Environment: exitEnvironment, fault.Interrupted: exitInterrupted,
}

// silent is an exit status without a message: everything was printed already.
type silent int

func (s silent) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError is a fault of the command line itself, for which the help is of use: an unknown flag, a missing argument.
type usageError struct{ *fault.Fault }

// Unwrap returns the fault.
func (u usageError) Unwrap() error { return u.Fault }

// usage is a fault of the command line.
func usage(format string, args ...any) error { return usageError{fault.Usagef(format, args...)} }

// helps reports whether the help of pipec is of use after an error.
func helps(err error) bool {
	var u usageError
	var f *fault.Fault
	return errors.As(err, &u) || !errors.As(err, &f)
}

// exitStatus returns the status of an error. An error that is not a fault is from cobra, about the command line.
func exitStatus(err error) int {
	var s silent
	var f *fault.Fault
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &s):
		return int(s)
	case errors.As(err, &f):
		return statuses[f.Kind]
	}
	return exitUsage
}

// report prints what a command failed with, and returns the exit status.
func (c *cli) report(err error) int {
	status := exitStatus(err)
	var s silent
	switch {
	case err == nil, errors.As(err, &s), err.Error() == "":
	case status == exitInterrupted:
		fmt.Fprintln(c.stderr, err)
	default:
		fmt.Fprintln(c.stderr, c.paint("31;1", "Error: ")+err.Error())
	}
	if status == exitUsage && helps(err) {
		fmt.Fprintln(c.stderr, "`pipec help` lists the commands; `pipec COMMAND --help` describes one.")
	}
	return status
}
