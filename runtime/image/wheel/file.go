package wheel

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// File is a file of a wheel.
type File struct {
	Name       string // in the archive
	Scheme     Scheme // "" for files that aren't installed
	Path       string // below the directory of the scheme
	Size       int64
	Executable bool

	entry   *zip.File
	newHash func() hash.Hash // as RECORD names it
	sum     []byte
	wheel   string
}

// RecordHash returns the file's hash as RECORD writes it, for example "sha256=…".
func (f *File) RecordHash() string { return encodeSum(f.newHash(), f.sum) }

// Deflated reports whether the wheel stores the file as a deflate stream, which CopyDeflated copies.
func (f *File) Deflated() bool { return f.entry.Method == zip.Deflate }

// Copy copies the content. It returns an *Error if the content is not what the wheel's RECORD and directory say; then a part
// of it may have been written.
func (f *File) Copy(w io.Writer) error { return f.read(w, io.Discard) }

// CopyDeflated copies the content to plain, and the deflate stream as the wheel stores it to deflated. It returns the CRC-32 of
// the content. Callers use it to write a compressed copy without compressing again. Errors are those of Copy.
func (f *File) CopyDeflated(deflated, plain io.Writer) (crc uint32, err error) {
	if !f.Deflated() {
		return 0, f.fault("is not compressed by deflate", nil)
	}
	return f.entry.CRC32, f.read(plain, deflated)
}

// read copies the content to plain and its stored form to raw, and checks both. Writers' errors are returned as they are.
func (f *File) read(plain, raw io.Writer) error {
	stored, err := f.entry.OpenRaw()
	if err != nil {
		return f.fault("can't be read: "+err.Error(), err)
	}
	out := &checked{w: plain, rest: f.Size, crc: crc32.NewIEEE()}
	if f.newHash != nil {
		out.sum = f.newHash()
	}
	in := &input{r: stored, copy: raw}
	buffered := bufio.NewReaderSize(in, 64<<10)
	var content io.Reader = buffered
	if f.Deflated() {
		content = flate.NewReader(buffered) // reads no byte after the end of the stream
	}
	_, err = io.CopyBuffer(out, content, make([]byte, 64<<10))
	if rest, rerr := io.Copy(io.Discard, buffered); err == nil && (rest > 0 || rerr != nil) {
		return errors.Join(in.failed, f.fault("has bytes after its end", rerr))
	}
	switch {
	case in.failed != nil:
		return in.failed
	case out.failed != nil:
		return out.failed
	case out.rest < 0:
		return f.fault(fmt.Sprintf("is longer than the %d bytes that it claims", f.Size), nil)
	case err != nil:
		return f.fault("is damaged: "+err.Error(), err)
	case out.rest > 0:
		return f.fault(fmt.Sprintf("has %d bytes less than it claims", out.rest), nil)
	case out.crc.Sum32() != f.entry.CRC32:
		return f.fault("is damaged: its checksum differs from that in the zip file", nil)
	case out.sum != nil && string(out.sum.Sum(nil)) != string(f.sum):
		return f.fault("differs from its hash in RECORD", nil)
	}
	return nil
}

func (f *File) fault(text string, err error) error {
	return &Error{Wheel: f.wheel, File: f.Name, Text: text, Err: err}
}

// input copies what is read from it.
type input struct {
	r      io.Reader
	copy   io.Writer
	failed error // of the copy
}

func (i *input) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if n > 0 && i.failed == nil {
		if _, i.failed = i.copy.Write(p[:n]); i.failed != nil {
			return 0, i.failed
		}
	}
	return n, err
}

var errTooLong = errors.New("too long")

// checked is a writer that accepts at most as many bytes as are claimed.
type checked struct {
	w      io.Writer
	rest   int64
	crc    hash.Hash32
	sum    hash.Hash // may be nil
	failed error     // of the writer
}

func (c *checked) Write(p []byte) (int, error) {
	if c.rest -= int64(len(p)); c.rest < 0 {
		return 0, errTooLong
	}
	_, _ = c.crc.Write(p)
	if c.sum != nil {
		_, _ = c.sum.Write(p)
	}
	if _, c.failed = c.w.Write(p); c.failed != nil {
		return 0, c.failed
	}
	return len(p), nil
}
