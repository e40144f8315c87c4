package store

import "io"

// bothBuffer is what a copy to both of a large content holds in memory.
const bothBuffer = 512 << 10

// aside is from which size on it is worth having another core do half of the work.
const aside = 64 << 10

// both writes to two at once, such as a hash and a file: neither waits for the other but at the end of each piece.
type both struct{ a, b io.Writer }

func (w both) Write(p []byte) (int, error) {
	if len(p) < aside {
		if n, err := w.a.Write(p); err != nil {
			return n, err
		}
		return w.b.Write(p)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := w.a.Write(p)
		failed <- err
	}()
	n, err := w.b.Write(p)
	if other := <-failed; err == nil && other != nil {
		return n, other
	}
	return n, err
}

// copyTo is io.Copy whose buffer is no larger than it is good for what is copied.
func copyTo(w io.Writer, r io.Reader) error {
	first := make([]byte, bufferSize)
	n, err := io.ReadFull(r, first)
	if _, werr := w.Write(first[:n]); werr != nil {
		return werr
	}
	switch err {
	case io.EOF, io.ErrUnexpectedEOF:
		return nil
	case nil:
		_, err = io.CopyBuffer(onlyWriter{w}, onlyReader{r}, make([]byte, bothBuffer))
	}
	return err
}
