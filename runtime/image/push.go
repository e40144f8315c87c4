// Package image uploads what manifests refer to, and pins it in the project's lock: it uploads code bundles to the
// stack's store, pins images by digest, and pushes the agent's image to the stack's registry. It does not upload what
// is already there.
//
// Subpackages: lockfile is the file of the lock, registry is a client of registries, agent builds the agent's image.
// Subpackage build builds images that consist of a base and Python packages. Subpackage dockerfile builds those with a Dockerfile, or
// with packages of a distribution, by a program that the user has.
package image

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/image/lockfile"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
)

// concurrency is the number of registries and bundles that are processed concurrently.
const concurrency = 8

// Options are what to push, and where.
type Options struct {
	Dir      string             // of the project
	Programs []*program.Program // unbound
	Stack    *program.Stack     // of kind kubernetes
	Store    store.Store        // the stack's; may be nil if no program has code
	Registry *registry.Client
	// Executable is the running pipec: its agent is beside it. AgentImage is an agent image in a registry to use
	// instead.
	Executable, AgentImage string
	// Upgrade pins the digests that tags refer to now, instead of keeping the locked ones.
	Upgrade bool
	// UpgradePackages are Python packages that are resolved again, in the images that pipec builds.
	UpgradePackages []string
	// Secrets are for Dockerfiles, in the notation of docker.
	Secrets []string
	// Images limits Build and Previews to some image blocks; empty: all.
	Images []string
	// Getenv reads the environment; Agent is the User-Agent for package indexes.
	Getenv func(string) string
	Agent  string
	// Prune removes unused entries from the lock; then Programs must be all programs of the project. Stacks are the
	// names of all declared stacks.
	Prune  bool
	Stacks []string
	// Lenient uses the lock's digests if a registry does not respond, and adds a note.
	Lenient bool
	// Cluster are the facts about the stack's cluster; nil keeps the locked ones.
	Cluster *program.LockedCluster
	// Progress is called with the progress of long operations. Items are processed concurrently, but calls are
	// sequential.
	Progress func(Progress)
}

// Progress is the progress of an item.
type Progress struct {
	Kind, Name  string
	Done, Total int64  // bytes; 0: unknown
	Line        string // what the program that builds an image prints
}

// The kinds of items that are pushed.
const (
	KindAgent   = "agent"
	KindCode    = "code"
	KindImage   = "image"
	KindCluster = "cluster"
)

// The statuses of items that are pushed.
const (
	Pushed    = "pushed"    // it was uploaded
	Built     = "built"     // it was built from packages, and uploaded
	Pinned    = "pinned"    // the lock had no digest of it
	Upgraded  = "upgraded"  // the lock had another digest
	Unchanged = "unchanged" // it was present
	Forgotten = "forgotten" // removed from the lock, because nothing uses it
)

// Item is one item, and what was done about it.
type Item struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`             // of the code or image block; else the reference
	Ref    string `json:"ref,omitempty"`    // of an image
	Digest string `json:"digest,omitempty"` // of an image's manifest, or of a code's tree
	Status string `json:"status"`
	Bytes  int64  `json:"bytes,omitempty"` // of a code bundle that was uploaded
	Note   string `json:"note,omitempty"`
}

// Result is the result of a push.
type Result struct {
	Lock    *program.Lock
	Changed bool   // the lock's file was written
	Items   []Item // by kind and name
}

// Push pushes and pins. If some items fail, the error is Faults, and the others are in the result and in the lock's
// file. A *lockfile.Error is an error in the lock itself; then nothing was done.
func Push(ctx context.Context, o Options) (*Result, error) {
	lock, err := lockfile.Load(o.Dir)
	if err != nil {
		return nil, err
	}
	return (&pusher{o: &o, lock: lock}).all(ctx, List(o.Programs, o.Stack))
}

func loadLock(dir string) (*program.Lock, error) { return lockfile.Load(dir) }

// all processes all items.
func (p *pusher) all(ctx context.Context, wants []Want) (*Result, error) {
	g := &errgroup.Group{}
	g.SetLimit(concurrency)
	for i := range wants {
		g.Go(func() error {
			p.see(ctx, &wants[i])
			return nil
		})
	}
	_ = g.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return p.finish(ctx, wants)
}

type pusher struct {
	o    *Options
	lock *program.Lock // before the push
	own  bool          // images are built even if the registry has one that others have pushed

	mu     sync.Mutex
	items  []Item
	apply  []func(*program.Lock)
	faults Faults
}

// see processes one item.
func (p *pusher) see(ctx context.Context, w *Want) {
	var item Item
	var change func(*program.Lock)
	var err error
	switch w.Kind {
	case KindCode:
		item, change, err = p.code(ctx, w)
	case KindAgent:
		item, change, err = p.agent(ctx, w)
	default:
		item, change, err = p.image(ctx, w)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.faults = append(p.faults, &Fault{Kind: w.Kind, Name: w.Name, Err: err})
		return
	}
	item.Kind, item.Name, item.Ref = w.Kind, w.Name, w.Ref
	p.items, p.apply = append(p.items, item), append(p.apply, change)
}

// finish writes the lock.
func (p *pusher) finish(ctx context.Context, wants []Want) (*Result, error) {
	r := &Result{}
	var err error
	r.Lock, r.Changed, err = lockfile.Update(ctx, p.o.Dir, func(l *program.Lock) {
		for _, change := range p.apply {
			change(l)
		}
		if p.o.Cluster != nil {
			p.items = append(p.items, pinCluster(l, p.o.Stack.Name, *p.o.Cluster))
		}
		if p.o.Prune && len(p.faults) == 0 {
			p.items = append(p.items, forget(l, p.o.Stack, p.o.Stacks, wants)...)
		}
	})
	if err != nil {
		return nil, err
	}
	r.Items = p.items
	slices.SortFunc(r.Items, func(a, b Item) int {
		return strings.Compare(a.Kind+"\x00"+a.Name+"\x00"+a.Ref, b.Kind+"\x00"+b.Name+"\x00"+b.Ref)
	})
	if len(p.faults) > 0 {
		slices.SortFunc(p.faults, func(a, b *Fault) int { return strings.Compare(a.Error(), b.Error()) })
		return r, p.faults
	}
	return r, nil
}

func (p *pusher) line(name, line string) {
	if p.o.Progress == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.o.Progress(Progress{Kind: KindImage, Name: name, Line: line})
}

func (p *pusher) progress(kind, name string, done, total int64) {
	if p.o.Progress == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.o.Progress(Progress{Kind: kind, Name: name, Done: done, Total: total})
}

// couldNotAsk reports whether a fault says nothing about the image, because the registry did not respond properly.
func couldNotAsk(err error) bool {
	var f *registry.Fault
	if !errors.As(err, &f) {
		return false
	}
	switch f.Reason {
	case registry.BadReference, registry.NoImage, registry.NoRepository, registry.Unusable:
		return false
	}
	return true
}
