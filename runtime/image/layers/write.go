package layers

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/image/wheel"
)

// Sums are the digests of a layer.
type Sums struct {
	Digest string `json:"digest"` // of the gzipped tar
	DiffID string `json:"diff_id"`
	Size   int64  `json:"size"` // of the gzipped tar, in bytes
}

// large is the size from which a file is a member of its own, if the wheel has it compressed. Small files compress better
// together.
const large = 32 << 10

// Write writes one layer with the files of wheels, which are sorted by name. environment adds what makes Root a virtual environment.
func Write(ctx context.Context, out io.Writer, l Layout, environment bool, wheels []*wheel.Wheel) (Sums, []Clash, error) {
	var all []entry
	for _, w := range wheels {
		entries, err := l.install(w)
		if err != nil {
			return Sums{}, nil, err
		}
		all = append(all, entries...)
	}
	if environment {
		all = append(all, l.environment()...)
	}
	all, clashes, err := merge(all)
	if err != nil {
		return Sums{}, nil, err
	}
	packed, plain := sha256.New(), sha256.New()
	counted := &counter{w: io.MultiWriter(out, packed)}
	s, err := newStream(counted, plain)
	if err != nil {
		return Sums{}, nil, err
	}
	t := &tarWriter{s: s, dirs: map[string]bool{}}
	for _, e := range all {
		if ctx.Err() != nil {
			return Sums{}, nil, context.Cause(ctx)
		}
		if err := t.entry(e); err != nil {
			return Sums{}, nil, err
		}
	}
	if err := t.end(); err != nil {
		return Sums{}, nil, err
	}
	return Sums{
		Digest: "sha256:" + hex.EncodeToString(packed.Sum(nil)),
		DiffID: "sha256:" + hex.EncodeToString(plain.Sum(nil)),
		Size:   counted.n,
	}, clashes, nil
}

// tarWriter writes tar entries whose contents may bypass the compressor.
type tarWriter struct {
	s    *stream
	dirs map[string]bool // that have been written
}

func (t *tarWriter) entry(e entry) error {
	name := path.Join(strings.TrimPrefix(Root, "/"), e.path)
	if err := t.parents(path.Dir(name)); err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(e.content))}
	if e.executable {
		h.Mode = 0o755
	}
	switch {
	case e.link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.link, 0o777
	case e.file != nil:
		h.Size = e.file.Size
	}
	if err := t.header(h); err != nil {
		return err
	}
	if err := t.content(e); err != nil {
		return err
	}
	return t.pad(h.Size)
}

func (t *tarWriter) content(e entry) error {
	switch {
	case e.file == nil:
		_, err := io.Copy(t.s, bytes.NewReader(e.content))
		return err
	case e.file.Size >= large && e.file.Deflated():
		return t.s.copied(e.file)
	}
	return e.file.Copy(t.s)
}

// parents writes the directories of an entry, from Root on. Those above it are the base's.
func (t *tarWriter) parents(dir string) error {
	root := strings.TrimPrefix(Root, "/")
	if t.dirs[dir] || dir != root && !strings.HasPrefix(dir, root+"/") {
		return nil
	}
	if err := t.parents(path.Dir(dir)); err != nil {
		return err
	}
	t.dirs[dir] = true
	return t.header(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755})
}

// header writes the header of an entry. Each has its own tar.Writer, which could not be told of content that bypasses it.
func (t *tarWriter) header(h *tar.Header) error {
	h.ModTime = time.Unix(0, 0)
	return tar.NewWriter(t.s).WriteHeader(h)
}

const block = 512

func (t *tarWriter) pad(size int64) error {
	_, err := t.s.Write(make([]byte, (block-size%block)%block))
	return err
}

func (t *tarWriter) end() error {
	if _, err := t.s.Write(make([]byte, 2*block)); err != nil {
		return err
	}
	return t.s.Close()
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
