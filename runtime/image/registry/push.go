package registry

import (
	"context"
	"errors"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// pushes is how often a push is attempted if concurrent pushes interfere.
const pushes = 5

// Push writes an image or an index (a remote.Taggable) to a reference. It does not send what the registry already has.
// progress may be nil; it is called from another goroutine, and never after Push has returned.
//
// If the client may, it creates a missing repository in ECR, which doesn't create repositories itself.
//
// If ECR no longer accepts the token in the middle of a push, a new one is used.
//
// Some registries reject one of two concurrent pushes of the same content. Push then starts again.
func (c *Client) Push(ctx context.Context, ref string, what remote.Taggable, progress func(done, total int64)) error {
	parsed, err := Parse(ref)
	if err != nil {
		return err
	}
	created, renewals := false, 0
	for try := 1; ; try++ {
		options := append([]remote.Option{remote.WithContext(ctx)}, c.options...)
		finished := make(chan struct{})
		if progress == nil {
			close(finished)
		} else {
			updates := make(chan v1.Update, 64)
			options = append(options, remote.WithProgress(updates)) // closes the channel
			go func() {
				defer close(finished)
				for u := range updates {
					if u.Error == nil {
						progress(u.Complete, u.Total)
					}
				}
			}()
		}
		err = remote.Push(parsed, what, options...)
		<-finished
		switch {
		case err == nil:
			return nil
		case !created && c.create != nil && noRepository(err) && isECR(parsed.Context().RegistryStr()):
			if err := c.create.ecr(ctx, parsed.Context()); err != nil {
				return notCreated(ref, parsed, err)
			}
			created = true
			continue
		case renewals < pushes && c.renew(parsed.Context().RegistryStr(), err):
			renewals++ // what is uploaded already is not sent again
			continue
		case try == pushes || !crossed(err):
			return explain(ctx, ref, parsed, err)
		}
		select {
		case <-time.After(100 * time.Millisecond << try):
		case <-ctx.Done():
			return explain(ctx, ref, parsed, err)
		}
	}
}

// crossed reports whether a registry rejected complete content because another client wrote or finished the same
// upload.
func crossed(err error) bool {
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return false
	}
	return slices.ContainsFunc(answer.Errors, func(d transport.Diagnostic) bool {
		switch d.Code {
		case transport.DigestInvalidErrorCode, transport.BlobUnknownErrorCode, transport.BlobUploadInvalidErrorCode,
			transport.BlobUploadUnknownErrorCode, transport.ManifestBlobUnknownErrorCode:
			return true
		}
		return false
	})
}
