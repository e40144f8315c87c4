// Package fault has the one type of error that the use cases of internal/app return. A fault says whose turn it is: the
// user's, the caller's, or the environment's. It doesn't say how a fault is shown, and knows no exit statuses.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind is the cause of a fault.
type Kind int

// The kinds of faults.
const (
	User        Kind = iota + 1 // the project's files, or the state of a run
	Usage                       // the request: an unknown name, a value that does not fit
	Environment                 // the disk, the artifact store, the cluster, the registry
	Interrupted                 // the caller's context ended, or the caller interrupted the operation
)

// String returns the kind in a word.
func (k Kind) String() string {
	switch k {
	case User:
		return "user"
	case Usage:
		return "usage"
	case Environment:
		return "environment"
	case Interrupted:
		return "interrupted"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Fault is why a use case failed.
type Fault struct {
	Kind    Kind
	Message string // what is wrong; "": the observer was notified of everything already
	Hint    string // what to do about it; may be ""
	Err     error  // the cause; may be nil
}

// Error returns the message, and the hint on a line of its own.
func (f *Fault) Error() string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + "\n" + f.Hint
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// WithHint returns the fault with a hint.
func (f *Fault) WithHint(format string, args ...any) *Fault {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// Userf returns a fault of the project's files or of a run. A %w in the format makes its argument the cause.
func Userf(format string, args ...any) *Fault { return newf(User, format, args) }

// Usagef returns a fault of the request. A %w in the format makes its argument the cause.
func Usagef(format string, args ...any) *Fault { return newf(Usage, format, args) }

func newf(kind Kind, format string, args []any) *Fault {
	err := fmt.Errorf(format, args...)
	return &Fault{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// As returns err as a fault of a kind, unless it is one already or nil.
func As(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return err
	}
	return &Fault{Kind: kind, Message: err.Error(), Err: err}
}

// Env returns err as a fault of the environment, unless it is a fault already or nil.
func Env(err error) error { return As(Environment, err) }

// Interruption returns the fault of an operation that the end of ctx has stopped, with err as its cause. Where ctx has
// not ended it returns nil.
func Interruption(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return nil
	}
	return &Fault{Kind: Interrupted, Err: err}
}

// KindOf returns the kind of an error: that of the fault in its chain, else Environment; 0 for nil.
func KindOf(err error) Kind {
	var f *Fault
	switch {
	case err == nil:
		return 0
	case errors.As(err, &f):
		return f.Kind
	}
	return Environment
}
