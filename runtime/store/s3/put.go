package s3

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"pipec.dev/pipec/runtime/store"
)

// metaNonce is where an object says by which Put it was written.
const metaNonce = "pipec-write"

// conflicts is how often a write is begun again that met another at the same key.
const conflicts = 5

// askFirst is the size from which it is asked whether the object is there before it is sent with IfAbsent: a server that
// refuses the body cuts the connection, and what is there costs no sending.
const askFirst = 64 << 10

// upload is one Put.
type upload struct {
	s     *Store
	key   string // as the caller has it
	full  *string
	mode  store.Mode
	nonce string
}

// Put writes an object. What can be read at any place (a file, bytes, store.Hashed) is sent from there, several parts at
// once, without being held in memory; else each part is held until it was sent.
//
// With IfAbsent, ErrExists means that another has written the object: one that this Put has written, while the answer
// was lost, it knows by a nonce (that of store.WithNonce, or its own).
func (s *Store) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	full, err := s.key(key)
	if err != nil {
		return err
	}
	u := &upload{s: s, key: key, full: full, mode: mode, nonce: store.Nonce(ctx)}
	if u.nonce == "" {
		var b [12]byte
		_, _ = rand.Read(b[:]) // never fails
		u.nonce = hex.EncodeToString(b[:])
	}
	src := sourceOf(r)
	if mode == store.IfAbsent && (src == nil || src.Size() >= askFirst) {
		if settled, err := u.there(ctx); settled || err != nil {
			return err
		}
	}
	if src == nil {
		return u.finish(ctx, u.stream(ctx, r))
	}
	for try := 1; ; try++ {
		err = u.send(ctx, src)
		if !isConflict(err) || try == conflicts {
			return u.finish(ctx, err)
		}
		select {
		case <-time.After(50 * time.Millisecond << try):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// finish says what a write has come to.
func (u *upload) finish(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var own *sourceError
	if errors.As(err, &own) {
		return own.err
	}
	fault := u.s.fault(ctx, write, u.key, err)
	// Was it sent twice by someone on the way, the first time with success? Was the answer lost?
	switch {
	case errors.Is(fault, store.ErrExists):
		if mine, herr := u.mine(ctx); mine && herr == nil {
			return nil
		}
	case store.ClassOf(fault) == store.Transient:
		if settled, herr := u.there(ctx); settled {
			return herr
		}
	}
	return fault
}

// there says whether it is settled what the write comes to, because the object is there: nil where this Put has written
// it, else store.ErrExists. It settles nothing where another may be replaced.
func (u *upload) there(ctx context.Context) (settled bool, err error) {
	mine, err := u.mine(ctx)
	switch {
	case errors.Is(err, store.ErrNotExist), store.ClassOf(err) == store.Denied: // who may write may not be allowed to look
		return false, nil
	case err != nil:
		return false, err
	case mine:
		return true, nil
	case u.mode == store.IfAbsent:
		return true, u.s.exists(u.key)
	}
	return false, nil
}

// mine says whether what is there was written by this Put.
func (u *upload) mine(ctx context.Context) (bool, error) {
	head, err := u.s.head(ctx, u.key)
	if err != nil {
		return false, err
	}
	return head.Metadata[metaNonce] == u.nonce, nil
}

func (u *upload) ifNoneMatch() *string {
	if u.mode == store.IfAbsent {
		return aws.String("*")
	}
	return nil
}

func (u *upload) metadata() map[string]string { return map[string]string{metaNonce: u.nonce} }

// send writes what can be read at any place.
func (u *upload) send(ctx context.Context, src source) error {
	if part := store.PartSize(src.Size()); src.Size() > part {
		return u.sendParts(ctx, src, part)
	}
	return u.whole(ctx, newSection(src, 0, src.Size()))
}

// whole writes an object by one request.
func (u *upload) whole(ctx context.Context, body *section) error {
	_, err := u.s.client.PutObject(ctx, &sdk.PutObjectInput{
		Bucket: &u.s.bucket, Key: u.full, Body: body, ContentLength: aws.Int64(body.Size()),
		IfNoneMatch: u.ifNoneMatch(), Metadata: u.metadata(),
	}, body.options)
	return body.check(err)
}

// stream writes what can be read only once.
func (u *upload) stream(ctx context.Context, r io.Reader) error {
	buf, err := u.s.pool.get(ctx)
	if err != nil {
		return err
	}
	n, err := fill(ctx, r, buf)
	if err != nil || n < len(buf) {
		defer u.s.pool.put(buf)
		if err != nil {
			return &sourceError{err}
		}
		return u.whole(ctx, newSection(newBytes(buf[:n]), 0, int64(n)))
	}
	return u.streamParts(ctx, r, buf)
}

// fill reads until the buffer is full or r is at its end.
func fill(ctx context.Context, r io.Reader, buf []byte) (int, error) {
	n := 0
	for n < len(buf) {
		if ctx.Err() != nil {
			return n, context.Cause(ctx)
		}
		m, err := r.Read(buf[n:])
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// sourceError is an error of what is written, not of the store.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// payload has the SHA-256 of the body, in hex, signed instead of computed.
func payload(sum string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("pipecPayloadHash",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(v4.SetPayloadHash(ctx, sum), in)
			}), middleware.After)
	}
}
