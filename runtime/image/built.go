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
	if w.block.Foundation() {
		if w, err = p.onFoundation(w); err != nil {
			return Item{}, nil, err
		}
	}
	old, same, err := b.Locked(w.block, p.lock)
	if err != nil {
		return Item{}, nil, err
	}
	locked, known := p.lock.Images[w.Ref]
	if known && same && !p.o.Upgrade && len(p.o.UpgradePackages) == 0 {
		if item, ok, err := p.unchanged(ctx, w, locked); ok || err != nil {
			return item, p.keepBuilt(w, locked, old), err
		}
	}
	if err := p.prepare(ctx, w); err != nil {
		return Item{}, nil, err
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

// unchanged reports whether the registry has a locked image, or can't be reached and doesn't have to be.
func (p *pusher) unchanged(ctx context.Context, w *Want, locked program.LockedImage) (item Item, ok bool, err error) {
	item = Item{Digest: locked.Digest, Status: Unchanged}
	there, err := p.o.Registry.Has(ctx, w.Ref, locked.Digest)
	switch {
	case err != nil && couldNotAsk(err) && p.o.Lenient:
		item.Note = "not checked: " + err.Error()
		return item, true, nil
	case err != nil && !missing(err):
		return Item{}, false, err
	}
	return item, there, nil
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
