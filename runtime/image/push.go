// Package image brings to a stack's registry and store what manifests refer to, and pins it in the project's lock: code
// bundles are uploaded, images are pinned by digest, the agent's image is pushed. What is there already is left alone.
//
// Beneath: lockfile is the lock's file, registry speaks to registries, agent makes the agent's image. It builds no
// images: of one that must be built it says how, and where it is looked for.
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

// asked is how many registries and bundles are seen to at once.
const asked = 8

// Options say what to push and where.
type Options struct {
	Dir      string             // the project's
	Programs []*program.Program // unbound
	Stack    *program.Stack     // of kind kubernetes
	Store    store.Store        // the stack's; nil is enough where no program has code
	Registry *registry.Client
	// Executable is the pipec that runs: its agent is beside it. AgentImage names an agent that is in a registry instead.
	Executable, AgentImage string
	// Upgrade takes what tags stand for now; else what is locked stays.
	Upgrade bool
	// Prune forgets what the stack no longer uses; Programs have to be all of the project then. Stacks are the names of
	// all that are declared.
	Prune  bool
	Stacks []string
	// Lenient takes the lock's word where a registry can't be asked, and notes that.
	Lenient bool
	// Cluster is what the stack's cluster has said of itself; nil: it wasn't asked, and what is locked stays.
	Cluster *program.LockedCluster
	// Progress is told of what takes long. Several things are seen to at once, but it is called by one at a time.
	Progress func(Progress)
}

// Progress is how far a thing is.
type Progress struct {
	Kind, Name  string
	Done, Total int64 // bytes; 0: not known
}

// The kinds of things that are pushed.
const (
	KindAgent   = "agent"
	KindCode    = "code"
	KindImage   = "image"
	KindCluster = "cluster"
)

// The statuses of things that are pushed.
const (
	Pushed    = "pushed"    // it was uploaded
	Pinned    = "pinned"    // the lock had no digest of it
	Upgraded  = "upgraded"  // the lock had another digest
	Unchanged = "unchanged" // it was there
	Forgotten = "forgotten" // the lock had it, and nothing uses it
)

// Item is one thing, and what was done about it.
type Item struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`             // of the code or image block; else the reference
	Ref    string `json:"ref,omitempty"`    // of an image
	Digest string `json:"digest,omitempty"` // of an image's manifest, or of a code's tree
	Status string `json:"status"`
	Bytes  int64  `json:"bytes,omitempty"` // of a code bundle that was uploaded
	Note   string `json:"note,omitempty"`
}

// Result is what a push has done.
type Result struct {
	Lock    *program.Lock
	Changed bool   // the lock's file was written
	Items   []Item // by kind and name
}

// Push pushes and pins. What went well is in the lock's file also where something else failed: the error is then Faults,
// and the result is of the rest. A *lockfile.Error is a fault of the lock itself, and nothing was done.
func Push(ctx context.Context, o Options) (*Result, error) {
	lock, err := lockfile.Load(o.Dir)
	if err != nil {
		return nil, err
	}
	p := &pusher{o: &o, lock: lock}
	g := &errgroup.Group{}
	g.SetLimit(asked)
	wants := List(o.Programs, o.Stack)
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
	lock *program.Lock // as it was

	mu     sync.Mutex
	items  []Item
	apply  []func(*program.Lock)
	faults Faults
}

// see sees to one thing.
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

func (p *pusher) progress(kind, name string, done, total int64) {
	if p.o.Progress == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.o.Progress(Progress{kind, name, done, total})
}

// couldNotAsk says whether a registry gave no answer that says anything about the image.
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
