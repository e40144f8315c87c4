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

// pushes is how often a push is begun that another one came in between of.
const pushes = 5

// Push writes an image or an index (a remote.Taggable) to where the reference says. What the registry has of it is not
// sent again. progress, which may be nil, is told of bytes from another goroutine, and never after Push has returned.
//
// Two that push the same at once confuse some registries, which then refuse one of them: it is begun again.
func (c *Client) Push(ctx context.Context, ref string, what remote.Taggable, progress func(done, total int64)) error {
	parsed, err := Parse(ref)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		options := append([]remote.Option{remote.WithContext(ctx)}, c.options...)
		told := make(chan struct{})
		if progress == nil {
			close(told)
		} else {
			updates := make(chan v1.Update, 64)
			options = append(options, remote.WithProgress(updates)) // which closes it
			go func() {
				defer close(told)
				for u := range updates {
					if u.Error == nil {
						progress(u.Complete, u.Total)
					}
				}
			}()
		}
		err = remote.Push(parsed, what, options...)
		<-told
		switch {
		case err == nil:
			return nil
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

// crossed says whether a registry refuses what was sent whole: another has written or ended the same upload.
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
