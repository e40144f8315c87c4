package store

import "errors"

// Class says what trying again is good for.
type Class int

// The classes of faults.
const (
	// Permanent: it stays as it is until a person changes something. Every error that is no *Fault counts as this.
	Permanent Class = iota
	// Transient: the world's, which passes: the network, a server that is busy, starting or gone for a while.
	Transient
	// Denied: credentials are missing, unknown, expired, or not allowed what was asked. New ones and new rights take
	// their time to be known everywhere, so that it may pass within a minute.
	Denied
)

// Fault is why a store that is elsewhere didn't do what it was asked. It says what failed, where, and what to do, and
// holds no secrets.
type Fault struct {
	Class Class
	Text  string // all that a person is told
	Err   error  // what it was made of, for errors.Is and errors.As; nil where there is none
}

func (f *Fault) Error() string { return f.Text }

// Unwrap gives what the fault was made of.
func (f *Fault) Unwrap() error { return f.Err }

// ClassOf is the class of an error of a store.
func ClassOf(err error) Class {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Class
	}
	return Permanent
}
