package registry

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Push writes an image or an index (a remote.Taggable) to where the reference says. What the registry has of it is not
// sent again. progress, which may be nil, is told of bytes from another goroutine, and never after Push has returned.
func (c *Client) Push(ctx context.Context, ref string, what remote.Taggable, progress func(done, total int64)) error {
	parsed, err := Parse(ref)
	if err != nil {
		return err
	}
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
	if err != nil {
		return explain(ctx, ref, parsed, err)
	}
	return nil
}
