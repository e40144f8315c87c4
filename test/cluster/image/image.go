// Package image makes the images that the cluster brings along, and pushes them to its registry: the pause image that
// every pod needs, and busybox, in which the steps of tests find a shell and the usual small tools.
package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/test/cluster/place"
)

// Images by reference. The users of busybox's tags are none (so root), root by name, a name that its passwd has as
// 1000, and a number.
const (
	Pause   = place.Registry + "/test/pause:1"
	Busybox = place.Registry + "/test/busybox:"
)

var busyboxUsers = map[string]string{"1": "", "root-named": "root", "user-named": "app", "user-1234": "1234"}

// Push makes the images and pushes them. pause is the path of the pause program.
func Push(ctx context.Context, pause string) error {
	program, err := os.ReadFile(pause)
	if err != nil {
		return err
	}
	img, err := build([]file{{"pause", 0o755, program, ""}}, v1.Config{Entrypoint: []string{"/pause"}, User: "65535:65535"})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return push(ctx, Pause, img) })
	files, err := busybox()
	if err != nil {
		return err
	}
	for tag, user := range busyboxUsers {
		img, err := build(files, v1.Config{
			User: user, Cmd: []string{"sh"}, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		})
		if err != nil {
			return err
		}
		group.Go(func() error { return push(ctx, Busybox+tag, img) })
	}
	return group.Wait()
}

func push(ctx context.Context, reference string, img v1.Image) error {
	ref, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.Write(ref, img, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push %s: %w", reference, err)
	}
	return nil
}

// A file of an image; one with a link is a symbolic link, one whose path ends in a slash a directory.
type file struct {
	path string
	mode int64
	data []byte
	link string
}

// busybox returns Debian's static busybox with a link for each of its tools.
func busybox() ([]file, error) {
	const program = "/bin/busybox"
	data, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("%w (package busybox-static)", err)
	}
	tools, err := exec.Command(program, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --list: %w", program, err)
	}
	files := []file{
		{"bin/", 0o755, nil, ""}, {"etc/", 0o755, nil, ""}, {"root/", 0o700, nil, ""}, {"tmp/", 0o1777, nil, ""},
		{"usr/", 0o755, nil, ""}, {"usr/bin", 0o777, nil, "../bin"},
		{"bin/busybox", 0o755, data, ""},
		{"etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/tmp:/bin/sh\n"), ""},
		{"etc/group", 0o644, []byte("root:x:0:\napp:x:1000:\n"), ""},
	}
	for tool := range strings.FieldsSeq(string(tools)) {
		if tool != "busybox" {
			files = append(files, file{path.Join("bin", tool), 0o777, nil, "busybox"})
		}
	}
	return files, nil
}

// build makes an image of one layer. The same files make the same digest.
func build(files []file, config v1.Config) (v1.Image, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, f := range files {
		h := &tar.Header{Name: f.path, Mode: f.mode, Size: int64(len(f.data)), Typeflag: tar.TypeReg, Linkname: f.link}
		switch {
		case f.link != "":
			h.Typeflag = tar.TypeSymlink
		case strings.HasSuffix(f.path, "/"):
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return nil, err
	}
	made, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	made.Architecture, made.OS, made.Config = runtime.GOARCH, "linux", config
	return mutate.ConfigFile(img, made)
}
