package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"compress/gzip"

	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/layers"
	"pipec.dev/pipec/runtime/image/resolve"
	"pipec.dev/pipec/runtime/image/wheel"
	"pipec.dev/pipec/schema/program"
)

// Wheels over largeWheel have a layer of their own, at most ownLayers of them. Runtimes allow 127 layers.
const (
	largeWheel = 8 << 20
	ownLayers  = 40
)

// Layer is a layer of an image that is built.
type Layer struct {
	Packages []resolve.Package
	Sums     layers.Sums
	Clashes  []layers.Clash
	last     bool // has the environment itself, and all small packages
	file     string
}

// Describe names the layer's content.
func (l *Layer) Describe() string {
	if len(l.Packages) == 1 && !l.last {
		return l.Packages[0].Name + " " + l.Packages[0].Version
	}
	return fmt.Sprintf("the environment, with %d packages", len(l.Packages))
}

// fetched is a wheel in the cache.
type fetched struct {
	pkg  resolve.Package
	name string // of the file in the cache
	size int64
}

// fetch downloads the wheels of a platform.
func (b *Builder) fetch(ctx context.Context, block *program.Image, packages []resolve.Package) ([]fetched, error) {
	out, from := make([]fetched, len(packages)), b.Index.In(b.root(block))
	g, ctx := group(ctx)
	for i, p := range packages {
		g.Go(func() error {
			name, _, err := from.Fetch(ctx, index.File{URL: p.URL, SHA256: p.SHA256, Size: p.Size}, func(done, total int64) {
				b.progress(block.Name+": "+p.Name, done, total)
			})
			if err != nil {
				return err
			}
			info, err := os.Stat(name)
			if err != nil {
				return err
			}
			out[i] = fetched{p, name, info.Size()}
			return nil
		})
	}
	return out, g.Wait()
}

func (b *Builder) progress(what string, done, total int64) {
	if b.Progress != nil {
		b.Progress(what, done, total)
	}
}

// divide assigns wheels to layers: the large ones to their own, all others to the last.
func divide(all []fetched) [][]fetched {
	own := slices.DeleteFunc(slices.Clone(all), func(f fetched) bool { return f.size <= largeWheel })
	slices.SortFunc(own, func(a, b fetched) int {
		if a.size != b.size {
			return int(min(max(b.size-a.size, -1), 1))
		}
		return strings.Compare(a.pkg.Name, b.pkg.Name)
	})
	own = own[:min(len(own), ownLayers)]
	slices.SortFunc(own, func(a, b fetched) int { return strings.Compare(a.pkg.Name, b.pkg.Name) })
	var out [][]fetched
	for _, f := range own {
		out = append(out, []fetched{f})
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(f fetched) bool {
		return slices.ContainsFunc(own, func(o fetched) bool { return o.pkg.Name == f.pkg.Name })
	})
	return append(out, rest)
}

// format changes when layers of the same wheels get other bytes.
const format = "1"

// layer returns a layer, which it writes unless the cache has it.
func (b *Builder) layer(ctx context.Context, layout layers.Layout, wheels []fetched, last bool) (*Layer, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %+v %v\n", format, layers.Root, layout.Python, last)
	out := &Layer{last: last}
	for _, w := range wheels {
		fmt.Fprintf(h, "%s %s\n", w.pkg.Name, w.pkg.SHA256)
		out.Packages = append(out.Packages, w.pkg)
	}
	dir := filepath.Join(b.Cache, "layers")
	note := filepath.Join(dir, hex.EncodeToString(h.Sum(nil))+".json")
	var kept struct {
		Sums    layers.Sums
		Clashes []layers.Clash
	}
	if read(note, &kept) {
		out.Sums, out.Clashes, out.file = kept.Sums, kept.Clashes, filepath.Join(dir, hexOf(kept.Sums.Digest))
		if exists(out.file, kept.Sums.Size) {
			return out, nil
		}
	}
	err := create(note, func(f *os.File) (string, error) {
		var err error
		out.Sums, out.Clashes, err = writeLayer(ctx, f, layout, last, wheels)
		out.file = filepath.Join(dir, hexOf(out.Sums.Digest))
		return out.file, err
	})
	if err != nil {
		return nil, err
	}
	kept.Sums, kept.Clashes = out.Sums, out.Clashes
	return out, write(note, kept)
}

// writeLayer opens wheels and writes their layer.
func writeLayer(ctx context.Context, to io.Writer, layout layers.Layout, last bool, wheels []fetched) (layers.Sums, []layers.Clash, error) {
	var open []*wheel.Wheel
	for _, w := range wheels {
		f, err := os.Open(w.name)
		if err != nil {
			return layers.Sums{}, nil, err
		}
		defer f.Close()
		opened, err := wheel.Open(f, w.size, fileName(w.pkg.URL))
		if err != nil {
			return layers.Sums{}, nil, err
		}
		if wheel.NormalName(opened.Name) != w.pkg.Name {
			return layers.Sums{}, nil, fmt.Errorf("the wheel of %s is one of %q", w.pkg.Name, opened.Name)
		}
		open = append(open, opened)
	}
	return layers.Write(ctx, to, layout, last, open)
}

func fileName(address string) string { return resolve.FileName(address) }

// blob is a layer as go-containerregistry needs it.
type blob struct {
	*Layer
	media types.MediaType
}

func (b blob) Digest() (v1.Hash, error) { return v1.NewHash(b.Sums.Digest) }

func (b blob) DiffID() (v1.Hash, error) { return v1.NewHash(b.Sums.DiffID) }

func (b blob) Compressed() (io.ReadCloser, error) { return os.Open(b.file) }

func (b blob) Uncompressed() (io.ReadCloser, error) {
	f, err := os.Open(b.file)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}

func (b blob) Size() (int64, error) { return b.Sums.Size, nil }

func (b blob) MediaType() (types.MediaType, error) { return b.media, nil }
