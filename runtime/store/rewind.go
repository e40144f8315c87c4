package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
)

// inMemory is the largest content of a reader that can't seek that is buffered without a file.
const inMemory = 1 << 20

// rewindable returns the rest of r as a reader that can be read again. The caller calls done after use.
func rewindable(ctx context.Context, r io.Reader) (body io.ReadSeeker, done func(), err error) {
	nothing := func() {}
	if s, ok := r.(io.ReadSeeker); ok {
		if _, err := s.Seek(0, io.SeekCurrent); err == nil { // a pipe is a file too
			return s, nothing, nil
		}
	}
	r = contextReader{ctx, r}
	var head bytes.Buffer
	if _, err := io.CopyN(&head, r, inMemory); errors.Is(err, io.EOF) {
		return bytes.NewReader(head.Bytes()), nothing, nil
	} else if err != nil {
		return nil, nil, err
	}
	f, err := os.CreateTemp("", "pipec-put-*")
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	if _, err = io.Copy(f, io.MultiReader(&head, r)); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return f, done, nil
}
