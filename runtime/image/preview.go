package image

import (
	"context"
	"os"
	"path/filepath"

	"pipec.dev/pipec/runtime/image/build"
	"pipec.dev/pipec/runtime/image/dockerfile"
)

// Preview is an image as a build would make it.
type Preview struct {
	Name      string            `json:"name"`
	Ref       string            `json:"ref"`
	Digest    string            `json:"digest"`
	Platforms []PlatformPreview `json:"platforms"`
	Changes   []string          `json:"changes,omitempty"` // of packages, compared with the lock
	Warnings  []string          `json:"warnings,omitempty"`
	// Dockerfile builds an equivalent image.
	Dockerfile string `json:"dockerfile,omitempty"`
}

// PlatformPreview is the image of one platform.
type PlatformPreview struct {
	Platform string         `json:"platform"`
	Layers   []LayerPreview `json:"layers"`
}

// LayerPreview is a layer.
type LayerPreview struct {
	Content string `json:"content"` // what the layer has
	Digest  string `json:"digest"`
	Size    int64  `json:"size"` // in bytes, compressed
	There   bool   `json:"there"`
}

// Previews resolves and writes the layers of images, and queries the registry for them. It uploads nothing, and doesn't change the
// lock.
func Previews(ctx context.Context, o Options) ([]Preview, error) {
	lock, err := loadLock(o.Dir)
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(&o)
	if err != nil {
		return nil, err
	}
	p := &pusher{o: &o, lock: lock}
	b.Progress = func(what string, done, total int64) { p.progress(KindImage, what, done, total) }
	var out []Preview
	var faults Faults
	for _, w := range o.wants() {
		one, err := p.preview(ctx, b, &w)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			faults = append(faults, &Fault{Kind: w.Kind, Name: w.Name, Err: err})
			continue
		}
		out = append(out, *one)
	}
	if len(faults) > 0 {
		return out, faults
	}
	return out, nil
}

// preview returns an image as a build would make it. What a Dockerfile makes is only known when that is built.
func (p *pusher) preview(ctx context.Context, b *build.Builder, w *Want) (*Preview, error) {
	below := ""
	if w.block.Foundation() {
		out, err := p.previewFoundation(ctx, w)
		if err != nil || !w.block.Layered() {
			return out, err
		}
		below = out.Dockerfile
		if w, err = p.onFoundation(w); err != nil {
			return nil, err
		}
		switch _, err := p.o.Registry.Digest(ctx, w.block.Base); {
		case missing(err):
			return out, nil
		case err != nil:
			return nil, err
		}
	}
	old, _, err := b.Locked(w.block, p.lock)
	if err != nil {
		return nil, err
	}
	plan, err := b.Resolve(ctx, w.block, p.lock, p.o.upgrade())
	if err != nil {
		return nil, err
	}
	built, err := b.Build(ctx, plan, w.Ref)
	if err != nil {
		return nil, err
	}
	out := &Preview{Name: w.Name, Ref: w.Ref, Digest: built.Image.Digest, Changes: build.Changes(old, plan), Warnings: warnings(built), Dockerfile: plan.Dockerfile(below)}
	for _, platform := range built.Image.Platforms {
		one := PlatformPreview{Platform: platform}
		for _, l := range built.Base[platform] {
			one.Layers = append(one.Layers, LayerPreview{Content: "the base " + w.block.Base, Digest: l.Digest.String(), Size: l.Size})
		}
		for _, l := range built.Layers[platform] {
			one.Layers = append(one.Layers, LayerPreview{Content: l.Describe(), Digest: l.Sums.Digest, Size: l.Sums.Size})
		}
		for i := range one.Layers {
			there, err := b.Registry.HasBlob(ctx, w.Ref, one.Layers[i].Digest)
			if err != nil && !missing(err) {
				return nil, err
			}
			one.Layers[i].There = there
		}
		out.Platforms = append(out.Platforms, one)
	}
	return out, nil
}

// previewFoundation returns what is known of an image with a Dockerfile, or with packages of a distribution, before it is built.
func (p *pusher) previewFoundation(ctx context.Context, w *Want) (*Preview, error) {
	out := &Preview{Name: w.Name, Ref: w.Ref, Dockerfile: dockerfile.Generated(w.block.Base, "", w.block.Packages)}
	if w.block.Dockerfile != "" {
		text, err := os.ReadFile(filepath.Join(p.o.Dir, filepath.FromSlash(w.block.Root), filepath.FromSlash(w.block.Dockerfile)))
		if err != nil {
			return nil, err
		}
		out.Dockerfile = string(text)
	}
	inputs, err := p.foundationInputs(w.block)
	if err != nil {
		return nil, err
	}
	if locked, known := p.lock.Images[w.Ref]; known && !p.o.Upgrade && p.lock.Builds[w.Name].Inputs == inputs {
		if _, ok, err := p.unchanged(ctx, w, locked); ok || err != nil {
			out.Digest = locked.Digest
			return out, err
		}
	}
	out.Warnings = []string{"it is built from a Dockerfile, so its layers are not known before"}
	return out, nil
}
