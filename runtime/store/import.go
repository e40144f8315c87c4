package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/record"
)

// Opener opens content that may be opened again, from its start.
type Opener func(context.Context) (io.ReadCloser, error)

// Import stores content from elsewhere by its digest. The content is read once for the digest, and a second time to send it
// to a remote store that does not have it. At most a part of it is in memory. look sees the content the first time; it need
// not read to the end, and if it fails, Import fails. The error is look's, the opener's, the reader's, the store's, or a
// *ContentError if the content was different the second time.
func Import(ctx context.Context, s Store, open Opener, name string, look func(io.Reader) error) (digest string, size int64, err error) {
	r, err := open(ctx)
	if err != nil {
		return "", 0, err
	}
	defer r.Close()
	if l, local := As[*Local](s); local {
		return l.take(ctx, r, look)
	}
	c := counted{r: contextReader{ctx, r}, h: sha256.New()}
	if err := c.through(look); err != nil {
		return "", 0, err
	}
	digest, size = digestOf(c.h), c.n
	if info, err := s.Stat(ctx, record.BlobKey(digest)); err == nil && info.Size == size {
		return digest, size, nil
	} else if err != nil && !errors.Is(err, ErrNotExist) {
		return "", 0, err
	}
	again := &reopened{ctx: ctx, open: open, want: digest, name: name}
	defer again.leave()
	err = s.Put(ctx, record.BlobKey(digest), again, IfAbsent)
	if corrupt, ok := errors.AsType[*CorruptError](err); ok && corrupt.Key == name {
		return "", 0, &ContentError{name, "changed while it was read"}
	}
	if errors.Is(err, ErrExists) {
		err = nil
	}
	return digest, size, err
}

// take writes content to a temporary file, which is renamed when its digest is known.
func (l *Local) take(ctx context.Context, r io.Reader, look func(io.Reader) error) (string, int64, error) {
	t, err := l.create()
	if err != nil {
		return "", 0, err
	}
	c := counted{r: contextReader{ctx, r}, h: sha256.New(), to: fdWriter(t.fd)}
	fault := c.through(look)
	digest := digestOf(c.h)
	if cerr := unix.Close(t.fd); fault == nil && !errors.Is(cerr, unix.EINTR) {
		fault = cerr
	}
	left := true
	if fault == nil {
		left, fault = l.place(t, record.BlobKey(digest), Replace)
	}
	if left {
		_ = l.root.Remove(t.name)
	}
	return digest, c.n, fault
}

// counted computes the digest of what is read, and copies it to another writer.
type counted struct {
	r  io.Reader
	h  hash.Hash
	n  int64
	to io.Writer // nil: nowhere
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	if c.to != nil && n > 0 {
		if _, werr := c.to.Write(p[:n]); werr != nil {
			return 0, werr
		}
	}
	return n, err
}

// through reads to the end, including what look has not read.
func (c *counted) through(look func(io.Reader) error) error {
	if err := look(c); err != nil {
		return err
	}
	_, err := io.CopyBuffer(onlyWriter{io.Discard}, onlyReader{c}, make([]byte, bufferSize))
	return err
}

// reopened is content that is opened when it is first read, and again after a Seek to its start.
type reopened struct {
	ctx        context.Context
	open       Opener
	want, name string
	r          io.Closer
	v          *verifier
	at         int64
}

func (o *reopened) Read(p []byte) (int, error) {
	if o.v == nil {
		r, err := o.open(o.ctx)
		if err != nil {
			return 0, err
		}
		o.r, o.v = r, &verifier{r: contextReader{o.ctx, r}, h: sha256.New(), want: o.want, key: o.name}
	}
	n, err := o.v.Read(p)
	o.at += int64(n)
	return n, err
}

// Seek can go to the start, or stay.
func (o *reopened) Seek(offset int64, whence int) (int64, error) {
	switch {
	case whence == io.SeekCurrent && offset == 0, whence == io.SeekStart && offset == o.at:
	case whence == io.SeekStart && offset == 0:
		o.leave()
	default:
		return o.at, errors.New("store: imported content can only be read from its start")
	}
	return o.at, nil
}

func (o *reopened) leave() {
	if o.r != nil {
		_ = o.r.Close()
	}
	o.r, o.v, o.at = nil, nil, 0
}
