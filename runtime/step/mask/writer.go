package mask

import "io"

// Writer masks what is written through it, even if a secret is split over several writes. It holds back only what may be
// the start of a secret. It is not safe for concurrent use.
type Writer struct {
	set    *Set
	w      io.Writer
	cuts   bool   // secrets that were cut are masked too
	held   []byte // not written yet
	masked int    // how many bytes at the start of held belong to a secret whose mask is written
	out    []byte
}

// Writer returns a writer that masks what is written to w. Without a set, it returns nil: then nothing is to be masked.
func (s *Set) Writer(w io.Writer) *Writer {
	if s == nil {
		return nil
	}
	return &Writer{set: s, w: w}
}

// Write masks p. The bytes that are passed on are valid until the call returns.
func (w *Writer) Write(p []byte) (int, error) {
	if w.cuts { // a message is complete: see Flush
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if len(w.held) == 0 {
		rest, err := w.scan(p, false)
		w.held = append(w.held, rest...)
		return len(p), err
	}
	w.held = append(w.held, p...)
	rest, err := w.scan(w.held, false)
	w.held = append(w.held[:0], rest...)
	return len(p), err
}

// Flush writes what is held back: nothing follows it.
func (w *Writer) Flush() error {
	_, err := w.scan(w.held, true)
	w.held = w.held[:0]
	return err
}

// scan writes b with its secrets masked. Secrets that overlap get one mask. It returns what has to be held back: the
// rest from the first position at which a longer text may start than b contains.
func (w *Writer) scan(b []byte, last bool) (rest []byte, err error) {
	w.out = w.out[:0]
	i, plain, end := 0, w.masked, w.masked // end: of the secrets found; plain: start of what is not in out yet
	for i = w.set.next(b, 0); i < len(b); i = w.set.next(b, i+1) {
		n, open := w.set.match(b[i:])
		if open && !last {
			break
		}
		if w.cuts {
			n = max(n, w.set.matchCut(b[i:]))
		}
		if n == 0 || i+n <= end {
			continue
		}
		if i >= end {
			w.out = append(append(w.out, b[plain:i]...), Mask...)
		}
		end = i + n
		plain = end
	}
	w.masked = max(end-i, 0)
	switch {
	case plain >= i:
	case len(w.out) == 0:
		_, err = w.w.Write(b[plain:i])
		return b[i:], err
	default:
		w.out = append(w.out, b[plain:i]...)
	}
	if len(w.out) > 0 {
		_, err = w.w.Write(w.out)
	}
	return b[i:], err
}
