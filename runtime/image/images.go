package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/schema/program"
)

// image pins a reference. It keeps the digest in the lock as long as the registry has it, unless the user asks for an
// upgrade.
func (p *pusher) image(ctx context.Context, w *Want) (Item, func(*program.Lock), error) {
	if w.block != nil {
		if item, change, ok, err := p.given(ctx, w); ok {
			return item, change, err
		}
		if !w.block.Layered() {
			return p.founded(ctx, w)
		}
		return p.built(ctx, w)
	}
	return p.pin(ctx, w)
}

func (p *pusher) pin(ctx context.Context, w *Want) (Item, func(*program.Lock), error) {
	locked, known := p.lock.Images[w.Ref]
	if known && !p.o.Upgrade {
		note, err := p.still(ctx, w.Ref, locked.Digest)
		return Item{Digest: locked.Digest, Status: Unchanged, Note: note}, p.keepImage(w.Ref, locked, false), err
	}
	found, err := p.o.Registry.Resolve(ctx, w.Ref)
	if err != nil {
		return Item{}, nil, err
	}
	entry := program.LockedImage{Digest: found.Digest, User: found.User, WorkingDir: found.WorkingDir, Platforms: found.Platforms, Stacks: locked.Stacks}
	item := Item{Digest: found.Digest, Status: Pinned}
	switch {
	case known && locked.Digest == found.Digest:
		item.Status = Unchanged
	case known:
		item.Status, item.Note = Upgraded, "it was "+short(locked.Digest)
	}
	return item, p.keepImage(w.Ref, entry, known), nil
}

// still reports whether the registry has the locked digest, and adds a note if the tag refers to another one now.
func (p *pusher) still(ctx context.Context, ref, digest string) (note string, err error) {
	now, err := p.o.Registry.Digest(ctx, ref)
	switch {
	case err == nil && now == digest:
		return "", nil
	case err != nil && couldNotAsk(err):
		if p.o.Lenient {
			return "not checked: " + err.Error(), nil
		}
		return "", err
	case err != nil && !missing(err):
		return "", err
	case err == nil:
		note = "the tag is " + short(now) + " now; --upgrade uses that"
	default:
		note = "the tag no longer exists"
	}
	there, err := p.o.Registry.Has(ctx, ref, digest)
	switch {
	case err != nil && couldNotAsk(err) && p.o.Lenient:
		return "not checked: " + err.Error(), nil
	case err != nil:
		return "", err
	case !there:
		return "", fmt.Errorf("%s is locked to %s, which the registry no longer has; pipec push --upgrade locks the image that the tag refers to now", ref, digest)
	}
	return note, nil
}

func missing(err error) bool {
	var f *registry.Fault
	return errors.As(err, &f) && (f.Reason == registry.NoImage || f.Reason == registry.NoRepository)
}

// keepImage adds an entry to the lock. If another push has pinned the same reference in the meantime, that entry
// remains, unless this push upgrades it.
func (p *pusher) keepImage(ref string, entry program.LockedImage, replace bool) func(*program.Lock) {
	return func(l *program.Lock) {
		if there, ok := l.Images[ref]; ok {
			if entry.Stacks = there.Stacks; !replace {
				entry = there
			}
		}
		if !slices.Contains(entry.Stacks, p.o.Stack.Name) {
			entry.Stacks = append(slices.Clone(entry.Stacks), p.o.Stack.Name)
			slices.Sort(entry.Stacks)
		}
		if l.Images == nil {
			l.Images = map[string]program.LockedImage{}
		}
		l.Images[ref] = entry
	}
}

// elsewhere explains how to build an image without pipec.
func elsewhere(w *Want) string {
	const text = "Install one of them, or build the image where there is one, and push it:\n  "
	if w.Dockerfile == "" {
		return text + w.Build
	}
	build := strings.Replace(w.Build, "- < DOCKERFILE &&", "- <<'END' &&", 1)
	return text + build + "\n  " + strings.ReplaceAll(strings.TrimRight(w.Dockerfile, "\n"), "\n", "\n  ") + "\n  END"
}

// short shortens a digest for a message.
func short(digest string) string {
	if len(digest) > 19 {
		return digest[:19]
	}
	return digest
}
