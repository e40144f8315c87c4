package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pipec.dev/pipec/runtime/image/build"
	"pipec.dev/pipec/runtime/image/dockerfile"
	"pipec.dev/pipec/schema/program"
)

// founded builds and pushes the image of a block with a Dockerfile, or with packages of a distribution, unless the registry has the
// one that the lock describes.
func (p *pusher) founded(ctx context.Context, w *Want) (Item, func(*program.Lock), error) {
	inputs, err := p.foundationInputs(w.block)
	if err != nil {
		return Item{}, nil, err
	}
	locked, known := p.lock.Images[w.Ref]
	old := p.lock.Builds[w.Name]
	plan := &build.Plan{Block: w.block, Inputs: inputs, Base: old.Base}
	if known && old.Inputs == inputs && !p.o.Upgrade {
		if item, ok, err := p.unchanged(ctx, w, locked); ok || err != nil {
			return item, p.keepBuilt(w, locked, plan), err
		}
	}
	digest, base, err := p.buildFoundation(ctx, w, w.Ref, old.Base)
	if err != nil {
		return Item{}, nil, err
	}
	found, err := p.o.Registry.Resolve(ctx, repository(w.Ref)+"@"+digest)
	if err != nil {
		return Item{}, nil, err
	}
	plan.Base = base
	entry := program.LockedImage{Digest: digest, User: found.User, WorkingDir: found.WorkingDir, Platforms: found.Platforms, Stacks: locked.Stacks}
	return Item{Digest: digest, Status: Built}, p.keepBuilt(w, entry, plan), nil
}

// onFoundation returns a want whose base is the foundation of w's block: an image of the same repository. The name of its tag follows
// from what it is built from, so that a change of Python packages alone does not build it again.
func (p *pusher) onFoundation(w *Want) (*Want, error) {
	inputs, err := p.foundationInputs(w.block)
	if err != nil {
		return nil, err
	}
	block := *w.block
	block.Base = repository(w.Ref) + ":base-" + strings.TrimPrefix(inputs, "sha256:")[:16]
	block.Dockerfile, block.Context, block.Args, block.Target, block.Packages = "", "", nil, "", nil
	out := *w
	out.block, out.foundation = &block, w
	return &out, nil
}

// prepare builds the foundation of an image, unless the registry has it.
func (p *pusher) prepare(ctx context.Context, w *Want) error {
	if w.foundation == nil {
		return nil
	}
	if !p.o.Upgrade {
		_, err := p.o.Registry.Digest(ctx, w.block.Base)
		if err == nil || !missing(err) {
			return err
		}
	}
	_, _, err := p.buildFoundation(ctx, w.foundation, w.block.Base, "")
	return err
}

// buildFoundation builds from a Dockerfile, and pushes to a reference. base is that of the block, pinned by digest, or "" if the
// block has its own Dockerfile.
func (p *pusher) buildFoundation(ctx context.Context, w *Want, ref, locked string) (digest, base string, err error) {
	block := w.block
	root := filepath.Join(p.o.Dir, filepath.FromSlash(block.Root))
	r := dockerfile.Request{
		Dir: contextDir(root, block), File: filepath.Join(root, filepath.FromSlash(block.Dockerfile)), Ref: ref, Platforms: block.Platforms,
		Args: block.Args, Target: block.Target, Secrets: p.o.Secrets, Fresh: p.o.Upgrade,
	}
	if block.Dockerfile == "" {
		b, err := newBuilder(p.o)
		if err != nil {
			return "", "", err
		}
		f, err := b.Foundation(ctx, block, locked, p.o.upgrade())
		if err != nil {
			return "", "", err
		}
		dir, err := os.MkdirTemp("", "pipec-image-")
		if err != nil {
			return "", "", err
		}
		defer os.RemoveAll(dir)
		r.Dir, r.File, r.Platforms, base = dir, filepath.Join(dir, "Dockerfile"), f.Platforms, f.Base
		if err := os.WriteFile(r.File, []byte(dockerfile.Generated(f.Base, f.User, block.Packages)), 0o600); err != nil {
			return "", "", err
		}
	}
	if err := p.o.Registry.Prepare(ctx, ref); err != nil {
		return "", "", err
	}
	d := &dockerfile.Builder{Getenv: p.o.Getenv, Credentials: p.o.Registry.Credentials, Progress: func(line string) { p.line(w.Name, clip(line)) }}
	digest, err = d.Build(ctx, r)
	var none *dockerfile.NoBuilderError
	if _, built := p.lock.Builds[w.Name]; errors.As(err, &none) && !built {
		return "", "", fmt.Errorf("%w\n%s", none, elsewhere(w))
	}
	return digest, base, err
}

// foundationInputs returns the digest of what a foundation is built from.
func (p *pusher) foundationInputs(block *program.Image) (string, error) {
	h := sha256.New()
	part := program.Image{Dockerfile: block.Dockerfile, Context: block.Context, Args: block.Args, Target: block.Target, Base: block.Base, Packages: block.Packages, Platforms: block.Platforms}
	data, err := json.Marshal(part)
	if err != nil {
		return "", err
	}
	h.Write(data)
	if block.Dockerfile != "" {
		root := filepath.Join(p.o.Dir, filepath.FromSlash(block.Root))
		files, err := dockerfile.Digest(contextDir(root, block), filepath.Join(root, filepath.FromSlash(block.Dockerfile)))
		if err != nil {
			return "", err
		}
		h.Write([]byte(files))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// contextDir returns the directory that a Dockerfile can copy from.
func contextDir(root string, block *program.Image) string {
	return filepath.Join(root, filepath.FromSlash(block.Context))
}

// repository returns a reference without its tag.
func repository(ref string) string {
	if at := strings.LastIndexByte(ref, ':'); at > strings.LastIndexByte(ref, '/') {
		return ref[:at]
	}
	return ref
}

// clip shortens a line of a builder for the display of the progress.
func clip(line string) string {
	const most = 100
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, line)
	if r := []rune(line); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return line
}
