package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"pipec.dev/pipec/runtime/image/base"
	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/resolve"
)

// target returns what packages of an image must fit.
func (b *Builder) target(ctx context.Context, image v1.Image, ref string) (packaging.Target, error) {
	found, err := b.inspect(ctx, image)
	var fault *base.Error
	if errors.As(err, &fault) {
		return packaging.Target{}, &resolve.Error{Text: fmt.Sprintf("the base %s can't be used for Python packages: %s", ref, fault.Text)}
	}
	if err != nil {
		return packaging.Target{}, err
	}
	return packaging.TargetOf(found), nil
}

// inspect returns the facts about a base, from the cache if it has them.
func (b *Builder) inspect(ctx context.Context, image v1.Image) (*base.Base, error) {
	digest, err := image.Digest()
	if err != nil {
		return nil, err
	}
	name := filepath.Join(b.Cache, "bases", digest.Hex+".json")
	out := &base.Base{}
	if read(name, out) {
		return out, nil
	}
	if out, err = base.Inspect(ctx, image); err != nil {
		return nil, err
	}
	return out, write(name, out)
}

// read reads a file of the cache. A file that is missing or damaged is not in the cache.
func read(name string, into any) bool {
	data, err := os.ReadFile(name)
	return err == nil && json.Unmarshal(data, into) == nil
}

// write replaces a file of the cache atomically.
func write(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return create(name, func(f *os.File) (string, error) {
		_, err := f.Write(data)
		return name, err
	})
}

// create writes a file and gives it the name that fill returns.
func create(beside string, fill func(*os.File) (string, error)) error {
	dir := filepath.Dir(beside)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	name, err := fill(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// exists reports whether the cache has a file of a size.
func exists(name string, size int64) bool {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err == nil && info.Size() == size
}

// hexOf returns a digest without its algorithm.
func hexOf(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
