package registry

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Base is an image to build on.
type Base struct {
	Ref       name.Reference
	Digest    string              // of the manifest, or of the index if the image has several platforms
	Platforms map[string]v1.Image // by platform, such as linux/amd64; their contents are read when they are used
}

// Base returns the images of a reference, for Linux.
func (c *Client) Base(ctx context.Context, ref string) (*Base, error) {
	parsed, err := Parse(ref)
	if err != nil {
		return nil, err
	}
	got, err := remote.Get(parsed, append([]remote.Option{remote.WithContext(ctx)}, c.options...)...)
	if err != nil {
		return nil, explain(ctx, ref, parsed, err)
	}
	out := &Base{Ref: parsed, Digest: got.Digest.String(), Platforms: map[string]v1.Image{}}
	if !got.MediaType.IsIndex() {
		image, err := got.Image()
		if err != nil {
			return nil, explain(ctx, ref, parsed, err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			return nil, explain(ctx, ref, parsed, err)
		}
		if config.OS != "linux" && config.OS != "" {
			return nil, unusable(ref, parsed, fmt.Sprintf("it is for %s, but pods run Linux", printable(config.OS)))
		}
		out.Platforms[platformOf("linux", config.Architecture, config.Variant)] = image
		return out, nil
	}
	index, err := got.ImageIndex()
	if err != nil {
		return nil, explain(ctx, ref, parsed, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, explain(ctx, ref, parsed, err)
	}
	for _, m := range manifest.Manifests {
		if m.Platform == nil || m.Platform.OS != "linux" || !m.MediaType.IsImage() {
			continue
		}
		image, err := index.Image(m.Digest)
		if err != nil {
			return nil, explain(ctx, ref, parsed, err)
		}
		out.Platforms[platformOf("linux", m.Platform.Architecture, m.Platform.Variant)] = image
	}
	if len(out.Platforms) == 0 {
		return nil, unusable(ref, parsed, fmt.Sprintf("it has no image for Linux among its %d", len(manifest.Manifests)))
	}
	return out, nil
}

// HasBlob reports whether the repository of ref has a layer.
func (c *Client) HasBlob(ctx context.Context, ref, digest string) (bool, error) {
	parsed, err := Parse(ref)
	if err != nil {
		return false, err
	}
	layer, err := c.puller.Layer(ctx, parsed.Context().Digest(digest))
	if err == nil {
		_, err = layer.Size() // a HEAD request
	}
	switch {
	case err == nil:
		return true, nil
	case status(err) == http.StatusNotFound:
		return false, nil
	}
	return false, explain(ctx, ref, parsed, err)
}
