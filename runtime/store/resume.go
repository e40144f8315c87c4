package store

import "io"

// Resumer is a reader that goes on where it was when it is read again after an error of class Transient.
type Resumer interface {
	// Resumable marks it.
	Resumable()
}

// Sinker is a reader of an object that can write what it reads to a file too, by itself and at several places at once.
type Sinker interface {
	// WriteTo is Read to the end. It ends with the context of Get.
	io.WriterTo
	// Sink has all that Read gives from now on written to w as well, at the place that it has in the object, before it is
	// given. More may be written, of what was read ahead, until the reader is closed. It is called before the first Read.
	Sink(w io.WriterAt)
}
