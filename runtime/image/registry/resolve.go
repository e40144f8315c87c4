package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Limits of the properties of an image.
const (
	maxConfig = 8 << 20 // size of the config's JSON in bytes
	maxText   = 4096    // length of a user or a working directory in bytes
)

// Image is the image that a reference refers to.
type Image struct {
	Digest     string   // of the manifest, or of the index if the image has several platforms
	User       string   // from the config; "" is root
	WorkingDir string   // "" is /
	Platforms  []string // for example linux/amd64, sorted; Linux only
}

// Resolve returns the image that a reference refers to. For an image with several platforms it reads the config of the
// most common one, because their user and working directory are the same.
func (c *Client) Resolve(ctx context.Context, ref string) (Image, error) {
	parsed, err := Parse(ref)
	if err != nil {
		return Image{}, err
	}
	got, err := c.puller.Get(ctx, parsed)
	if err != nil {
		return Image{}, explain(ctx, ref, parsed, err)
	}
	out := Image{Digest: got.Digest.String()}
	if got.MediaType.IsIndex() {
		index, err := got.ImageIndex()
		if err != nil {
			return out, explain(ctx, ref, parsed, err)
		}
		child, platforms, err := choose(index)
		if err != nil {
			return out, unusable(ref, parsed, err.Error())
		}
		out.Platforms = platforms
		if got, err = c.puller.Get(ctx, parsed.Context().Digest(child)); err != nil {
			return out, explain(ctx, ref, parsed, err)
		}
	}
	config, err := readConfig(ref, parsed, got)
	if err != nil {
		return out, explain(ctx, ref, parsed, err)
	}
	if len(out.Platforms) == 0 {
		if config.OS != "" && config.OS != "linux" {
			return out, unusable(ref, parsed, fmt.Sprintf("it is for %s, but pods run Linux", printable(config.OS)))
		}
		out.Platforms = []string{platformOf("linux", config.Architecture, config.Variant)}
	}
	out.User, out.WorkingDir = config.Config.User, config.Config.WorkingDir
	if len(out.User) > maxText || len(out.WorkingDir) > maxText {
		return out, unusable(ref, parsed, "the user or the working directory in its config is too long")
	}
	return out, nil
}

// choose selects the image of an index whose config is read, and lists the platforms of the index.
func choose(index v1.ImageIndex) (digest string, platforms []string, err error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", nil, err
	}
	best := -1
	for _, m := range manifest.Manifests {
		// An entry without a platform is an attestation or a signature.
		if m.Platform == nil || m.Platform.OS != "linux" || !m.MediaType.IsImage() {
			continue
		}
		platforms = append(platforms, platformOf(m.Platform.OS, m.Platform.Architecture, m.Platform.Variant))
		rank := slices.Index([]string{"arm64", "amd64"}, m.Platform.Architecture) + 1
		if rank > best {
			best, digest = rank, m.Digest.String()
		}
	}
	if best < 0 {
		return "", nil, fmt.Errorf("it has no image for Linux among its %d", len(manifest.Manifests))
	}
	slices.Sort(platforms)
	return digest, slices.Compact(platforms), nil
}

func platformOf(os, architecture, variant string) string {
	out := os + "/" + architecture
	if variant != "" && (architecture != "arm64" || variant != "v8") { // v8 is the default of arm64
		out += "/" + variant
	}
	return out
}

func readConfig(ref string, parsed name.Reference, got *remote.Descriptor) (*v1.ConfigFile, error) {
	switch got.MediaType {
	case types.DockerManifestSchema1, types.DockerManifestSchema1Signed:
		return nil, unusable(ref, parsed, "it has the format that Docker removed in 2019 (schema 1)")
	}
	image, err := got.Image()
	if err != nil {
		return nil, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	switch manifest.Config.MediaType {
	case types.DockerConfigJSON, types.OCIConfigJSON, "":
	default:
		return nil, unusable(ref, parsed, fmt.Sprintf("it is not a container image: its config has type %s", printable(string(manifest.Config.MediaType))))
	}
	if manifest.Config.Size > maxConfig {
		return nil, unusable(ref, parsed, fmt.Sprintf("its config has %d bytes, but at most %d are allowed", manifest.Config.Size, maxConfig))
	}
	return image.ConfigFile()
}
