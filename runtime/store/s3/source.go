package s3

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"pipec.dev/pipec/runtime/store"
)

// source is content that can be read at any offset, by several goroutines at once.
type source interface {
	io.ReaderAt
	Size() int64
}

// sourceOf returns the rest of r as a source, or nil if r can't be one.
func sourceOf(r io.Reader) source {
	if h, ok := r.(*store.Hashed); ok {
		if at, err := h.Seek(0, io.SeekCurrent); err == nil && at == 0 {
			return h
		}
	}
	at, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil
	}
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			return nil
		}
	}
	from, err := at.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	end, err := at.Seek(0, io.SeekEnd)
	if _, back := at.Seek(from, io.SeekStart); err != nil || back != nil {
		return nil
	}
	return io.NewSectionReader(at, from, end-from)
}

func newBytes(b []byte) source { return bytes.NewReader(b) }

// section is a part of a source that is being sent. It records errors of the source, which the SDK would take for errors of
// the network.
type section struct {
	*io.SectionReader
	hashed *store.Hashed // nil: the SDK computes what it signs
	part   int

	mu  sync.Mutex
	err error
}

func newSection(src source, off, n int64) *section {
	out := &section{}
	if h, ok := src.(*store.Hashed); ok {
		out.hashed, out.part = h, int(off/store.PartSize(h.Size()))
	}
	out.SectionReader = io.NewSectionReader(keeping{src, out}, off, n)
	return out
}

// options sets the options of the request that sends the part.
func (s *section) options(o *sdk.Options) {
	if s.hashed != nil {
		sum := s.hashed.Sum(s.part)
		o.APIOptions = append(o.APIOptions, payload(hex.EncodeToString(sum[:])))
	}
}

// check returns the error of the source if that is the cause of err, and else err.
func (s *section) check(err error) error {
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return &sourceError{s.err}
	}
	if c := code(err); s.hashed != nil && (c == "XAmzContentSHA256Mismatch" || c == "BadDigest") {
		if changed := s.hashed.Changed(s.part); changed != nil {
			return &sourceError{changed}
		}
	}
	return err
}

// keeping records errors of a source in its section.
type keeping struct {
	source
	to *section
}

func (k keeping) ReadAt(p []byte, off int64) (int, error) {
	n, err := k.source.ReadAt(p, off)
	short := n < len(p) && off+int64(n) < k.to.Outer()
	if err == io.EOF && short {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		k.to.mu.Lock()
		k.to.err = err
		k.to.mu.Unlock()
	}
	return n, err
}

// Outer returns the offset in the source at which the section ends.
func (s *section) Outer() int64 {
	_, off, n := s.SectionReader.Outer()
	return off + n
}
