// Tarimage converts a root file system in a tar file to a container image, stores it as an OCI image layout, and pushes it.
// It is for this repository's own scripts, which make such file systems from a distribution's packages.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"pipec.dev/pipec/runtime/image/registry"
)

func main() {
	tar := flag.String("tar", "", "the tar `FILE` with the file system; without it, the layout must exist already")
	dir := flag.String("layout", "", "the `DIR` of the image")
	ref := flag.String("push", "", "the `REFERENCE` to push it to")
	flag.Parse()
	if err := run(*tar, *dir, *ref, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "tarimage:", err)
		os.Exit(1)
	}
}

func run(tar, dir, ref string, command []string) error {
	if dir == "" {
		return errors.New("usage: tarimage -layout DIR [-tar FILE] [-push REFERENCE] [COMMAND...]")
	}
	if tar != "" {
		if err := write(tar, dir, command); err != nil {
			return err
		}
	}
	if ref == "" {
		return nil
	}
	return push(dir, ref)
}

// write writes the image, for this machine's architecture and with the user root, as most images have.
func write(tar, dir string, command []string) error {
	layer, err := tarball.LayerFromFile(tar, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer})
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", runtime.GOARCH, v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = v1.Config{Cmd: command, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendImage(image)
}

// push pushes the image unless the registry has it.
func push(dir, ref string) error {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	if len(manifest.Manifests) != 1 {
		return fmt.Errorf("%s: expected 1 image, found %d", dir, len(manifest.Manifests))
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		return err
	}
	client, err := registry.New(registry.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if now, err := client.Digest(ctx, ref); err == nil && now == manifest.Manifests[0].Digest.String() {
		return nil
	}
	return client.Push(ctx, ref, image, nil)
}
