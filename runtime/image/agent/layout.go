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

// LayoutDir is what the directory with the image is called, an OCI image layout.
const LayoutDir = "pipec-agent.oci"

// Write writes the index as an OCI image layout to dir, in the place of what is there.
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
	// It is installed for all, and not all of it is made so.
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

// read reads what Write wrote.
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

// hasBinary says whether one of the image's is made of this very binary.
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
