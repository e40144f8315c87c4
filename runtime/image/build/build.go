// Package build builds images from a base and Python packages, as layers, without a daemon, root or a container: it pins the base,
// resolves the packages for each platform, writes their layers, and pushes the image. What it did before, it does not do again:
// wheels, layers and facts about bases are kept in a cache, so that an interrupted build continues.
//
// Its parts are package base (what a base contains), resolve (which wheels), index (downloads), wheel and layers (their layers).
// The package does not write the lock: its caller does.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/runtime/image/resolve"
	"pipec.dev/pipec/schema/program"
)

// Builder builds images. It is safe for concurrent use.
type Builder struct {
	Dir      string // of the project
	Cache    string // a directory; see index.DefaultCache
	Registry *registry.Client
	Index    *index.Client
	Getenv   func(string) string
	// Progress is called with the progress of downloads and uploads, from several goroutines. It may be nil.
	Progress func(what string, done, total int64)
}

// Plan states exactly what an image consists of. The image follows from it.
type Plan struct {
	Block     *program.Image
	Inputs    string // the digest of the block and of the files that it names
	Base      string // pinned by digest
	Platforms map[string][]resolve.Package
}

// Upgrade selects what is resolved again though the lock has it.
type Upgrade struct {
	All   bool     // everything, also the base
	Names []string // these packages
}

// none reports whether the lock is used as it is.
func (u Upgrade) none() bool { return !u.All && len(u.Names) == 0 }

// Inputs returns the digest of an image block and the files that it names.
func (b *Builder) Inputs(block *program.Image) (string, error) {
	h := sha256.New()
	data, err := json.Marshal(block)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s\n", data)
	if block.Lock != "" {
		files, err := resolve.Files(b.root(block), block.Lock)
		if err != nil {
			return "", err
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(h, "%q %q\n", name, files[name])
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// root returns the directory that the block's paths are relative to.
func (b *Builder) root(block *program.Image) string {
	return filepath.Join(b.Dir, filepath.FromSlash(block.Root))
}

// Locked returns the plan that the lock has for a block. ok is false if it has none, or one for other inputs.
func (b *Builder) Locked(block *program.Image, lock *program.Lock) (p *Plan, ok bool, err error) {
	inputs, err := b.Inputs(block)
	if err != nil {
		return nil, false, err
	}
	p = &Plan{Block: block, Inputs: inputs, Platforms: map[string][]resolve.Package{}}
	entry, ok := lock.Builds[block.Name]
	if !ok {
		return p, false, nil
	}
	p.Base = entry.Base
	for key, wheel := range lock.Packages {
		platform, name, mine := cutKey(block.Name, key)
		if mine {
			p.Platforms[platform] = append(p.Platforms[platform], resolve.Package{
				Name: name, Version: wheel.Version, URL: wheel.URL, SHA256: strings.TrimPrefix(wheel.Digest, "sha256:"), Size: wheel.Size})
		}
	}
	for _, packages := range p.Platforms {
		slices.SortFunc(packages, func(a, b resolve.Package) int { return strings.Compare(a.Name, b.Name) })
	}
	return p, entry.Inputs == inputs && len(p.Platforms) > 0, nil
}

// cutKey splits a program.LockedPackageKey of a block. Platforms have two or three parts.
func cutKey(block, key string) (platform, name string, mine bool) {
	rest, mine := strings.CutPrefix(key, block+"/")
	at := strings.LastIndexByte(rest, '/')
	if !mine || at < 0 {
		return "", "", false
	}
	return rest[:at], rest[at+1:], true
}

// Write replaces what a lock has of the plan's block.
func (p *Plan) Write(l *program.Lock) {
	Forget(l, p.Block.Name)
	if l.Builds == nil {
		l.Builds = map[string]program.LockedBuild{}
	}
	if l.Packages == nil {
		l.Packages = map[string]program.LockedPackage{}
	}
	l.Builds[p.Block.Name] = program.LockedBuild{Inputs: p.Inputs, Base: p.Base}
	for platform, packages := range p.Platforms {
		for _, w := range packages {
			l.Packages[program.LockedPackageKey(p.Block.Name, platform, w.Name)] = program.LockedPackage{
				Version: w.Version, URL: w.URL, Digest: "sha256:" + w.SHA256, Size: w.Size}
		}
	}
}

// Forget removes a block from a lock.
func Forget(l *program.Lock, block string) {
	delete(l.Builds, block)
	maps.DeleteFunc(l.Packages, func(key string, _ program.LockedPackage) bool {
		_, _, mine := cutKey(block, key)
		return mine
	})
}

// Resolve returns the plan of a block: that of the lock if it is for the same inputs, or else a new one.
func (b *Builder) Resolve(ctx context.Context, block *program.Image, lock *program.Lock, up Upgrade) (*Plan, error) {
	old, same, err := b.Locked(block, lock)
	if err != nil || same && up.none() {
		return old, err
	}
	next := &Plan{Block: block, Inputs: old.Inputs, Base: block.Base, Platforms: map[string][]resolve.Package{}}
	if old.Base != "" && !up.All && sameRepository(old.Base, block.Base) {
		next.Base = old.Base
	}
	base, err := b.Registry.Base(ctx, next.Base)
	if err != nil {
		return nil, err
	}
	next.Base = pin(block.Base, base.Digest)
	platforms, err := choose(block, base)
	if err != nil {
		return nil, err
	}
	for _, platform := range platforms {
		if next.Platforms[platform], err = b.packages(ctx, block, base, platform, old.Platforms[platform], up); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// pin adds a digest to a reference that has none.
func pin(ref, digest string) string {
	if strings.Contains(ref, "@") {
		return ref
	}
	return ref + "@" + digest
}

func sameRepository(pinned, ref string) bool {
	return pinned == ref || strings.HasPrefix(pinned, ref+"@")
}

// choose returns the platforms of a block that has none: that of the base, or linux/amd64 if the base has several.
func choose(block *program.Image, base *registry.Base) ([]string, error) {
	has := slices.Sorted(maps.Keys(base.Platforms))
	if len(block.Platforms) == 0 {
		if len(has) == 1 {
			return has, nil
		}
		const usual = "linux/amd64"
		if slices.Contains(has, usual) {
			return []string{usual}, nil
		}
		return has[:1], nil
	}
	for _, p := range block.Platforms {
		if !slices.Contains(has, p) {
			return nil, &resolve.Error{Text: fmt.Sprintf("the base %s is not for the platform %s: it has %s", block.Base, p, strings.Join(has, ", "))}
		}
	}
	return block.Platforms, nil
}

func (b *Builder) packages(ctx context.Context, block *program.Image, base *registry.Base, platform string, current []resolve.Package, up Upgrade) ([]resolve.Package, error) {
	target, err := b.target(ctx, base.Platforms[platform], block.Base)
	if err != nil {
		return nil, err
	}
	r := resolve.Request{
		Dir: b.root(block), Lock: block.Lock, Requirements: block.Requirements, Index: block.IndexURL, ExtraIndexes: block.ExtraIndexes,
		FindLinks: block.FindLinks, Target: target, Getenv: b.Getenv, Current: current,
	}
	if len(current) > 0 && !up.All {
		r.Only = append([]string{}, up.Names...)
		// The packages are kept as far as the requirements allow that.
		if kept, err := resolve.Resolve(ctx, b.Index.In(r.Dir), r); err == nil || ctx.Err() != nil {
			return kept, err
		}
		r.Only = nil
	}
	return resolve.Resolve(ctx, b.Index.In(r.Dir), r)
}
