package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/store"
)

const (
	parallel   = 5     // parts of one object on their way at once
	mostParts  = 10000 // of one object, as S3 has it
	abortAfter = 15 * time.Second
)

// multipart is a multipart upload.
type multipart struct {
	*upload
	id    *string
	group *errgroup.Group
	ctx   context.Context // ends with the first part that fails
	stop  context.CancelFunc
	parts []types.CompletedPart
}

func (u *upload) begin(ctx context.Context) (*multipart, error) {
	out, err := u.s.client.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{
		Bucket: &u.s.bucket, Key: u.full, Metadata: u.metadata(),
	})
	if err != nil {
		return nil, err
	}
	m := &multipart{upload: u, id: out.UploadId}
	ctx, m.stop = context.WithCancel(ctx)
	m.group, m.ctx = errgroup.WithContext(ctx)
	m.group.SetLimit(parallel)
	return m, nil
}

// sendParts sends a source in parts. Each part is read from the source while it is sent.
func (u *upload) sendParts(ctx context.Context, src source, size int64) error {
	m, err := u.begin(ctx)
	if err != nil {
		return err
	}
	n := (src.Size() + size - 1) / size
	m.parts = make([]types.CompletedPart, n)
	for i := range n {
		if m.ctx.Err() != nil {
			break
		}
		body := newSection(src, i*size, min(size, src.Size()-i*size))
		m.group.Go(func() (err error) {
			m.parts[i], err = m.part(int32(i+1), body)
			return err
		})
	}
	return m.end(ctx, m.group.Wait())
}

// streamParts sends first and then the rest of r. The buffer belongs to the pool.
func (u *upload) streamParts(ctx context.Context, r io.Reader, first []byte) error {
	m, err := u.begin(ctx)
	if err != nil {
		u.s.pool.put(first)
		return err
	}
	if err = m.readParts(r, first); err != nil {
		m.stop() // what is on its way is for nothing
	}
	if failed := m.group.Wait(); err == nil {
		err = failed
	}
	return m.end(ctx, err)
}

func (m *multipart) readParts(r io.Reader, buf []byte) error {
	sent := map[int32]*types.CompletedPart{}
	n, err := len(buf), error(nil)
	for i := int32(1); ; i++ {
		done := &types.CompletedPart{}
		sent[i] = done
		body, full := newSection(newBytes(buf[:n]), 0, int64(n)), n == len(buf)
		held := buf
		m.group.Go(func() (err error) {
			defer m.s.pool.put(held)
			*done, err = m.part(i, body)
			return err
		})
		if !full {
			break
		}
		if buf, err = m.s.pool.get(m.ctx); err != nil {
			return err
		}
		if n, err = fill(m.ctx, r, buf); err != nil {
			m.s.pool.put(buf)
			if m.ctx.Err() != nil { // a part has failed
				return context.Cause(m.ctx)
			}
			return &sourceError{err}
		}
		if n == 0 {
			m.s.pool.put(buf)
			break
		}
		if i == mostParts {
			m.s.pool.put(buf)
			return &sourceError{fmt.Errorf("more than %d GB of unknown length can't be written as one object", mostParts*store.PartSize(0)>>30)}
		}
	}
	if err := m.group.Wait(); err != nil {
		return err
	}
	for i := int32(1); int(i) <= len(sent); i++ {
		m.parts = append(m.parts, *sent[i])
	}
	return nil
}

func (m *multipart) part(number int32, body *section) (types.CompletedPart, error) {
	out, err := m.s.client.UploadPart(m.ctx, &sdk.UploadPartInput{
		Bucket: &m.s.bucket, Key: m.full, UploadId: m.id, PartNumber: &number, Body: body, ContentLength: aws.Int64(body.Size()),
	}, body.options)
	if err != nil {
		return types.CompletedPart{}, body.check(err)
	}
	return types.CompletedPart{ETag: out.ETag, PartNumber: &number}, nil
}

// end completes the upload, or aborts it if a part failed.
func (m *multipart) end(ctx context.Context, err error) error {
	defer m.stop()
	if err == nil {
		_, err = m.s.client.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{
			Bucket: &m.s.bucket, Key: m.full, UploadId: m.id, IfNoneMatch: m.ifNoneMatch(),
			MultipartUpload: &types.CompletedMultipartUpload{Parts: m.parts},
		})
		if err == nil {
			return nil
		}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	// The parts would use storage forever.
	aside, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortAfter)
	defer cancel()
	m.abort(aside)
	return err
}

// abort aborts the upload. The server may still be receiving a part whose request was cancelled and store it afterwards, so
// abort is repeated until no part is left, as the documentation of S3 requires.
func (m *multipart) abort(ctx context.Context) {
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		_, err := m.s.client.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: &m.s.bucket, Key: m.full, UploadId: m.id})
		if status(err) == http.StatusNotFound {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// isConflict reports whether another write of the same key came in between, so that this one must be tried again.
func isConflict(err error) bool {
	return status(err) == http.StatusConflict && code(err) == "ConditionalRequestConflict"
}
