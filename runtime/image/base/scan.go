package base

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Limits of an image whose files are read.
const (
	maxNodes   = 5_000_000
	maxContent = 8 << 20 // of a file whose content is kept; a C library has 2 MB
	maxKept    = 100     // files whose content is kept
)

// scan applies the layers of an image one after the other.
func scan(ctx context.Context, image v1.Image) (*tree, error) {
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	t := &tree{nodes: map[string]node{}, contents: map[string][]byte{}}
	for _, layer := range layers {
		if err := t.layer(ctx, layer); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tree) layer(ctx context.Context, layer v1.Layer) error {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer content.Close()
	stop := context.AfterFunc(ctx, func() { _ = content.Close() })
	defer stop()
	// A layer's whiteouts hide what is below it, not what the layer itself has, whatever their order is.
	var hidden []string
	added := map[string]bool{}
	r := tar.NewReader(content)
	for {
		h, err := r.Next()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, io.EOF):
			t.hide(hidden, added)
			return nil
		case err != nil:
			return fmt.Errorf("a layer can't be read: %w", err)
		}
		name := path.Join("/", h.Name)
		dir, file := path.Split(name)
		if file == ".wh..wh..opq" {
			hidden = append(hidden, dir)
			continue
		}
		if of, ok := strings.CutPrefix(file, ".wh."); ok {
			hidden = append(hidden, dir+of)
			continue
		}
		added[name] = true
		if err := t.add(name, h, r); err != nil {
			return err
		}
		if len(t.nodes) > maxNodes {
			return &Error{fmt.Sprintf("it has more than %d files", maxNodes)}
		}
	}
}

// hide removes what the layers below have. A path that ends in / stands for the content of a directory.
func (t *tree) hide(hidden []string, added map[string]bool) {
	if len(hidden) == 0 {
		return
	}
	exact, below := map[string]bool{}, map[string]bool{}
	for _, h := range hidden {
		if dir, ok := strings.CutSuffix(h, "/"); ok {
			below[path.Join("/", dir)] = true
			continue
		}
		exact[h], below[h] = true, true
	}
	for name := range t.nodes {
		if added[name] {
			continue
		}
		gone := exact[name]
		for dir := path.Dir(name); !gone && dir != "/"; dir = path.Dir(dir) {
			gone = below[dir]
		}
		if gone {
			delete(t.nodes, name)
			delete(t.contents, name)
		}
	}
}

func (t *tree) add(name string, h *tar.Header, r io.Reader) error {
	delete(t.contents, name)
	switch h.Typeflag {
	case tar.TypeReg:
		t.nodes[name] = node{kind: isFile}
		if !states(path.Base(name)) || h.Size > maxContent || len(t.contents) >= maxKept {
			return nil
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return fmt.Errorf("a layer can't be read: %w", err)
		}
		t.contents[name] = data
	case tar.TypeLink:
		t.nodes[name] = node{kind: isFile}
		if data, ok := t.contents[path.Join("/", h.Linkname)]; ok {
			t.contents[name] = data
		}
	case tar.TypeSymlink:
		t.nodes[name] = node{kind: isLink, target: h.Linkname}
	case tar.TypeDir:
		t.nodes[name] = node{kind: isDir}
	}
	return nil
}

// states reports whether a file with this name states a version that is needed.
func states(base string) bool {
	return base == "patchlevel.h" || base == "libc.so.6" || strings.HasPrefix(base, "libc-2.") || strings.HasPrefix(base, "ld-musl-")
}
