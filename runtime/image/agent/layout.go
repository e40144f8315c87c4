package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// LayoutDir is the name of the directory with the image, an OCI image layout.
const LayoutDir = "pipec-agent.oci"

// Write writes the index as an OCI image layout to dir, replacing an older one.
func Write(index v1.ImageIndex, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		if _, err := os.Stat(filepath.Join(dir, "oci-layout")); err != nil {
			return fmt.Errorf("%s exists and is not an image: move it away", dir)
		}
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if _, err := layout.Write(temp, index); err != nil {
		return err
	}
	// The image is installed for all users, but some files are not created readable for them.
	err = filepath.WalkDir(temp, func(path string, e fs.DirEntry, err error) error {
		mode := fs.FileMode(0o644)
		if err == nil && e.IsDir() {
			mode = 0o755
		}
		return errors.Join(err, os.Chmod(path, mode))
	})
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

// read reads an image that Write wrote.
func read(dir string) (*Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	digest, err := index.Digest()
	if err != nil {
		return nil, err
	}
	return &Image{Index: index, Digest: digest.String(), From: dir}, nil
}

// hasBinary reports whether one of the images is built from this binary.
func hasBinary(index v1.ImageIndex, b *Binary) (bool, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return false, err
	}
	for _, m := range manifest.Manifests {
		if m.Platform == nil || m.Platform.Architecture != b.Architecture {
			continue
		}
		image, err := index.Image(m.Digest)
		if err != nil {
			return false, err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return false, err
		}
		return config.Config.Labels[labelBinary] == b.Digest, nil
	}
	return false, nil
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
