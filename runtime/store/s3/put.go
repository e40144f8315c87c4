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

// metaNonce is the metadata of an object that names the Put that wrote it.
const metaNonce = "pipec-write"

// conflicts is how often a write is tried that conflicts with another one of the same key.
const conflicts = 5

// askFirst is the size above which Put with IfAbsent first checks whether the object exists. A server that refuses the
// body closes the connection, and content that exists need not be sent.
const askFirst = 64 << 10

// upload is one Put.
type upload struct {
	s     *Store
	key   string // as the caller has it
	full  *string
	mode  store.Mode
	nonce string
}

// Put writes an object. Content that can be read at any offset (a file, bytes, store.Hashed) is sent from there, several
// parts at once, without being buffered. Otherwise each part is buffered until it is sent.
//
// With IfAbsent, ErrExists means that another writer has written the object. If this Put has written it and the answer was
// lost, the object has its nonce (that of store.WithNonce, or its own).
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

// finish turns the error of a write into the result of Put.
func (u *upload) finish(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var own *sourceError
	if errors.As(err, &own) {
		return own.err
	}
	fault := u.s.fault(ctx, write, u.key, err)
	// The request may have been sent twice on the way, or its answer may have been lost.
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

// there reports whether the result is settled because the object exists: the error is nil if this Put has written it, and
// else store.ErrExists. With Replace nothing is settled.
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

// mine reports whether the existing object was written by this Put.
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

// send writes content that can be read at any offset.
func (u *upload) send(ctx context.Context, src source) error {
	if part := store.PartSize(src.Size()); src.Size() > part {
		return u.sendParts(ctx, src, part)
	}
	return u.whole(ctx, newSection(src, 0, src.Size()))
}

// whole writes an object with one request.
func (u *upload) whole(ctx context.Context, body *section) error {
	_, err := u.s.client.PutObject(ctx, &sdk.PutObjectInput{
		Bucket: &u.s.bucket, Key: u.full, Body: body, ContentLength: aws.Int64(body.Size()),
		IfNoneMatch: u.ifNoneMatch(), Metadata: u.metadata(),
	}, body.options)
	return body.check(err)
}

// stream writes content that can be read only once.
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

// fill reads until the buffer is full or r ends.
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

// sourceError is an error of the content, and not of the store.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// payload signs the request with this SHA-256 of the body, in hex, which the SDK then doesn't compute.
func payload(sum string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("pipecPayloadHash",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(v4.SetPayloadHash(ctx, sum), in)
			}), middleware.After)
	}
}
