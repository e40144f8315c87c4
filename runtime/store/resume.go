package store

// Resumer is a reader that goes on where it was when it is read again after an error of class Transient.
type Resumer interface {
	// Resumable marks it.
	Resumable()
}
