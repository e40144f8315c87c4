// Package agent builds the image of pipec-agent, and finds it: one layer with one file, /pipec-agent, for each
// architecture, without a daemon. The same binaries always give the same bytes.
//
// It neither pushes images nor compiles binaries.
package agent

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"pipec.dev/pipec/schema/kube"
)

// Path is the path of the agent in its image.
const Path = "/pipec-agent"

// Labels of the image.
const (
	labelVersion = "org.opencontainers.image.version"
	labelTitle   = "org.opencontainers.image.title"
	labelBinary  = "dev.pipec.agent" // sha256:… of the binary
)

// epoch is the modification time of every file in the image.
var epoch = time.Unix(0, 0).UTC()

// Build builds an index with an image for each binary. Compression takes a second per binary, and can be skipped for an
// image that isn't stored.
func Build(binaries []*Binary, version string, compress bool) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		image, err := build(b, version, compress)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			MediaType: types.OCIManifestSchema1, Platform: &v1.Platform{OS: "linux", Architecture: b.Architecture},
		}})
	}
	return index, nil
}

func build(b *Binary, version string, compress bool) (v1.Image, error) {
	packed, err := pack(b.Path)
	if err != nil {
		return nil, err
	}
	var layer v1.Layer = static.NewLayer(packed, types.OCIUncompressedLayer)
	if compress {
		layer, err = tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(packed)), nil
		}, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, err
		}
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, MediaType: mediaType(compress),
		History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "pipec", Comment: "pipec-agent"},
	})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", b.Architecture, v1.Time{Time: epoch}
	config.Config = v1.Config{
		Entrypoint: []string{Path}, User: strconv.Itoa(kube.DefaultUser), WorkingDir: "/",
		Labels: map[string]string{labelTitle: "pipec-agent", labelBinary: b.Digest},
	}
	if version != "" {
		config.Config.Labels[labelVersion] = version
	}
	return mutate.ConfigFile(image, config)
}

func mediaType(compress bool) types.MediaType {
	if compress {
		return types.OCILayer
	}
	return types.OCIUncompressedLayer
}

// pack builds the layer: the binary at the root, owned by root, and executable by everyone.
func pack(path string) ([]byte, error) {
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(len(binary) + 4096)
	w := tar.NewWriter(&b)
	err = w.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: Path[1:], Mode: 0o755, Size: int64(len(binary)), ModTime: epoch, Format: tar.FormatUSTAR,
	})
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(binary); err != nil {
		return nil, err
	}
	err = w.Close() // writes the end of the archive
	return b.Bytes(), err
}
