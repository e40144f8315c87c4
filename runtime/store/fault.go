package store

import "errors"

// Class is whether a failed request is worth retrying.
type Class int

// The classes of faults.
const (
	// Permanent faults stay until a person changes something. Every error that is not a *Fault is Permanent.
	Permanent Class = iota
	// Transient faults pass: the network, a server that is busy, restarting or down.
	Transient
	// Denied: credentials are missing, unknown or expired, or have no right to make the request. New credentials and
	// rights take time to be known everywhere, so such a fault may pass within a minute.
	Denied
)

// Fault is why a request to a remote store failed. Its text names the failed operation, the place and the fix, and contains no
// secrets.
type Fault struct {
	Class Class
	Text  string // the whole message for the user
	Err   error  // the cause, for errors.Is and errors.As; nil if there is none
}

func (f *Fault) Error() string { return f.Text }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// ClassOf returns the class of an error of a store.
func ClassOf(err error) Class {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Class
	}
	return Permanent
}
