package image

import (
	"context"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/build"
	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/schema/program"
)

// newBuilder returns a builder of images, with the user's cache.
func newBuilder(o *Options) (*build.Builder, error) {
	cache, err := index.DefaultCache(o.Getenv)
	if err != nil {
		return nil, err
	}
	downloads, err := index.New(index.Options{Dir: o.Dir, Cache: cache, Netrc: index.DefaultNetrc(o.Getenv), Agent: o.Agent})
	if err != nil {
		return nil, err
	}
	return &build.Builder{Dir: o.Dir, Cache: cache, Registry: o.Registry, Index: downloads, Getenv: o.Getenv}, nil
}

// upgrade returns what is resolved again.
func (o *Options) upgrade() build.Upgrade {
	return build.Upgrade{All: o.Upgrade, Names: o.UpgradePackages}
}

// given pins the image of a block that others have pushed to the place where it is expected. It reports false if the image is to be
// built: pipec has built it before, the user wants that, or the registry has none.
func (p *pusher) given(ctx context.Context, w *Want) (item Item, change func(*program.Lock), ok bool, err error) {
	if _, built := p.lock.Builds[w.Name]; built || p.own || p.o.Upgrade {
		return Item{}, nil, false, nil
	}
	if _, known := p.lock.Images[w.Ref]; !known {
		if _, err := p.o.Registry.Digest(ctx, w.Ref); missing(err) {
			return Item{}, nil, false, nil
		}
	}
	item, change, err = p.pin(ctx, w)
	return item, change, true, err
}

// built builds and pushes an image, unless the registry has the one that the lock describes.
func (p *pusher) built(ctx context.Context, w *Want) (Item, func(*program.Lock), error) {
	b, err := newBuilder(p.o)
	if err != nil {
		return Item{}, nil, err
	}
	b.Progress = func(what string, done, total int64) { p.progress(KindImage, what, done, total) }
	old, same, err := b.Locked(w.block, p.lock)
	if err != nil {
		return Item{}, nil, err
	}
	locked, known := p.lock.Images[w.Ref]
	if known && same && !p.o.Upgrade && len(p.o.UpgradePackages) == 0 {
		there, err := p.o.Registry.Has(ctx, w.Ref, locked.Digest)
		unchanged := Item{Digest: locked.Digest, Status: Unchanged}
		switch {
		case err != nil && couldNotAsk(err) && p.o.Lenient:
			unchanged.Note = "not checked: " + err.Error()
			return unchanged, p.keepBuilt(w, locked, old), nil
		case err != nil && !missing(err):
			return Item{}, nil, err
		case there:
			return unchanged, p.keepBuilt(w, locked, old), nil
		}
	}
	plan, err := b.Resolve(ctx, w.block, p.lock, p.o.upgrade())
	if err != nil {
		return Item{}, nil, err
	}
	image, err := b.Build(ctx, plan, w.Ref)
	if err != nil {
		return Item{}, nil, err
	}
	err = b.Push(ctx, image, func(done, total int64) { p.progress(KindImage, w.Name, done, total) })
	if err != nil {
		return Item{}, nil, err
	}
	item := Item{Digest: image.Image.Digest, Status: Built, Note: notes(old, plan, image)}
	if err := b.Attach(ctx, plan, image); err != nil {
		if ctx.Err() != nil {
			return Item{}, nil, context.Cause(ctx)
		}
		// Some registries reject artifacts. The image can be used nevertheless.
		item.Note = strings.TrimPrefix(item.Note+", the SBOM was not attached: "+err.Error(), ", ")
	}
	image.Image.Stacks = locked.Stacks
	return item, p.keepBuilt(w, image.Image, plan), nil
}

// notes describes the changes of packages, and warnings.
func notes(old, plan *build.Plan, image *build.Built) string {
	var out []string
	if len(old.Platforms) > 0 {
		out = build.Changes(old, plan)
	}
	for _, text := range warnings(image) {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return strings.Join(out, ", ")
}

// warnings describes missing libraries, and files that several packages install.
func warnings(image *build.Built) (out []string) {
	for _, platform := range image.Image.Platforms {
		for _, m := range image.Missing[platform] {
			out = append(out, m.String())
		}
	}
	for _, platform := range image.Image.Platforms {
		layers := image.Layers[platform]
		for _, l := range layers {
			for _, c := range l.Clashes {
				out = append(out, c.Then+" replaces "+c.Path+" of "+c.First)
			}
		}
	}
	return out
}

// keepBuilt adds a built image and its packages to the lock.
func (p *pusher) keepBuilt(w *Want, entry program.LockedImage, plan *build.Plan) func(*program.Lock) {
	return func(l *program.Lock) {
		p.keepImage(w.Ref, entry, true)(l)
		stacks := l.Builds[w.Name].Stacks
		plan.Write(l)
		if !slices.Contains(stacks, p.o.Stack.Name) {
			stacks = append(slices.Clone(stacks), p.o.Stack.Name)
			slices.Sort(stacks)
		}
		of := l.Builds[w.Name]
		of.Stacks = stacks
		l.Builds[w.Name] = of
	}
}

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
	p := &pusher{o: &o}
	b.Progress = func(what string, done, total int64) { p.progress(KindImage, what, done, total) }
	var out []Preview
	var faults Faults
	for _, w := range o.wants() {
		one, err := preview(ctx, b, &w, lock, o.upgrade())
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

func preview(ctx context.Context, b *build.Builder, w *Want, lock *program.Lock, up build.Upgrade) (*Preview, error) {
	old, _, err := b.Locked(w.block, lock)
	if err != nil {
		return nil, err
	}
	plan, err := b.Resolve(ctx, w.block, lock, up)
	if err != nil {
		return nil, err
	}
	built, err := b.Build(ctx, plan, w.Ref)
	if err != nil {
		return nil, err
	}
	out := &Preview{Name: w.Name, Ref: w.Ref, Digest: built.Image.Digest, Changes: build.Changes(old, plan), Warnings: warnings(built), Dockerfile: plan.Dockerfile()}
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

// wants returns the images to build.
func (o *Options) wants() []Want {
	return slices.DeleteFunc(List(o.Programs, o.Stack), func(w Want) bool {
		return w.block == nil || len(o.Images) > 0 && !slices.Contains(o.Images, w.Name)
	})
}

// Build builds and pushes images, as Push does, and pushes nothing else.
func Build(ctx context.Context, o Options) (*Result, error) {
	lock, err := loadLock(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Prune = false
	return (&pusher{o: &o, lock: lock, own: true}).all(ctx, o.wants())
}
