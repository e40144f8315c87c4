// Package pod builds the complete pod of each step: a core/v1 PodTemplateSpec with everything that the pipeline, the stack and the
// lock set, and the patch of the step applied. No other package builds pods, so the pod that is shown, checked and run is the same.
// The package is pure: it reads no files and connects to no cluster. The agent does not import it: a bound program contains the
// pods as the coordinator creates them.
package pod

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// Options describe the cluster, in addition to the stack.
type Options struct {
	// Version is the version that the cluster reports, such as "v1.37.2". "": use the stack's kubernetes_version, or else the lock's.
	Version string
	// Wrapper is "image" or "init" if the nodes are known to need it and the stack does not set it. "": decide by the lock and the
	// version.
	Wrapper string
}

// MissingKind is the kind of thing outside the program that a manifest refers to.
type MissingKind string

// The kinds of missing things.
const (
	MissingAgent MissingKind = "agent" // the image of pipec-agent
	MissingCode  MissingKind = "code"  // a code bundle
	MissingImage MissingKind = "image" // an image whose digest isn't known, or that has to be built
)

// Missing is a reference that is not in the lock. It must be pushed, or at least resolved, before a run.
type Missing struct {
	Kind MissingKind `json:"kind"`
	Name string      `json:"name"` // code: its name; image, agent: the reference that the pods have
	// Built reports that an image must be built from its block first.
	Built bool `json:"built,omitempty"`
}

// Bind returns a copy of p with its Target, the digests of its codes and images, and the pod of each step. lock may be nil. References
// that are not in the lock are returned and stay in the program without a digest. Bind returns an error if the stack or the program
// cannot be bound: a step has no image, or the patch of its pod does not fit.
func Bind(p *program.Program, stack *program.Stack, lock *program.Lock, opts Options) (*program.Program, []Missing, error) {
	if stack.Orchestrator.Namespace == "" { // as every orchestrator has whose steps are pods
		return nil, nil, fmt.Errorf("stack %q runs on %q, which has no namespace for pods", stack.Name, stack.Orchestrator.Kind)
	}
	if lock == nil {
		lock = &program.Lock{}
	}
	b := &binder{source: p, stack: stack, lock: lock, seen: map[Missing]bool{}, images: map[string]image{}}
	out := *p
	out.Target = b.target(opts)
	out.Codes = b.codes(p.Codes)
	b.prepare(out.Target)
	limits := newLimits(p)
	var err error
	if out.Steps, err = b.steps(p.Steps, p.Timeout.D()); err != nil {
		return nil, nil, err
	}
	if out.Finally, err = b.steps(p.Finally, 0); err != nil {
		return nil, nil, err
	}
	out.Called = append([]program.Called{}, p.Called...)
	for i := range out.Called {
		c := &out.Called[i]
		if c.Steps, err = b.steps(c.Steps, limits.called[c.Name]); err != nil {
			return nil, nil, err
		}
		if c.Finally, err = b.steps(c.Finally, 0); err != nil {
			return nil, nil, err
		}
	}
	if len(out.Called) == 0 {
		out.Called = nil
	}
	return &out, b.missing, nil
}

type binder struct {
	source  *program.Program
	stack   *program.Stack
	lock    *program.Lock
	missing []Missing
	seen    map[Missing]bool
	images  map[string]image // by the step's Image
	common  common
	limit   time.Duration // from the timeouts of the pipelines that the steps belong to; 0: none
}

// image is what the image of a step came to.
type image struct {
	reference string // as pods name it
	locked    program.LockedImage
}

func (b *binder) miss(m Missing) {
	if !b.seen[m] {
		b.seen[m] = true
		b.missing = append(b.missing, m)
	}
}

// notPushed is the tag of an agent that isn't in the lock: the error of the failed pull then shows the reason.
const notPushed = ":not-pushed"

func (b *binder) target(opts Options) *program.Target {
	o := &b.stack.Orchestrator
	uri := ""
	if b.stack.Registry != nil {
		uri = b.stack.Registry.URI
	}
	agent := b.lock.Agents[uri]
	if agent == "" {
		agent = kube.AgentRepository + notPushed
		if b.stack.Registry != nil {
			agent = kube.Repository(b.stack.Registry, kube.AgentRepository) + notPushed
		}
		b.miss(Missing{Kind: MissingAgent, Name: agent})
	}
	known := b.lock.Clusters[b.stack.Name]
	version, nodes := opts.Version, opts.Wrapper
	if version == "" {
		version, nodes = cmp.Or(o.Version, known.Version), cmp.Or(nodes, known.Wrapper)
	}
	return &program.Target{
		Stack: b.stack.Name, Namespace: o.Namespace, CreateNamespace: o.CreateNamespace, Store: b.stack.ArtifactStore, Agent: agent,
		Wrapper: wrapper(o.Wrapper, nodes, version), StoreGrace: o.StoreGrace, OnLostNode: o.OnLostNode, TTL: o.TTL,
		Restarts:         kube.AtLeast(version, restartsFrom),
		ImagePullSecrets: o.ImagePullSecrets, DefaultResources: o.DefaultResources, Coordinator: o.Coordinator,
	}
}

func (b *binder) codes(codes []program.Code) []program.Code {
	out := make([]program.Code, len(codes))
	for i, c := range codes {
		if c.Digest = b.lock.Codes[program.LockedCodeKey(b.stack.Name, c.Name)].Digest; c.Digest == "" {
			b.miss(Missing{Kind: MissingCode, Name: c.Name})
		}
		out[i] = c
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// steps gives steps their pods. limit is how long they may run at most; 0: no limit.
func (b *binder) steps(steps []program.Step, limit time.Duration) ([]program.Step, error) {
	b.limit = limit
	if len(steps) == 0 {
		return steps, nil
	}
	out := make([]program.Step, len(steps))
	for i := range steps {
		out[i] = steps[i]
		s := &out[i]
		if !s.Process() || s.Idle() {
			continue // it has no process, and so no pod
		}
		if err := b.step(s); err != nil {
			return nil, err
		}
		s.Variants = slices.Clone(s.Variants)
		for i := range s.Variants {
			one := s.With(&s.Variants[i])
			if err := b.step(one); err != nil {
				return nil, err
			}
			s.Variants[i] = program.VariantOf(one)
		}
	}
	return out, nil
}

// step gives a step its pod.
func (b *binder) step(s *program.Step) error {
	img, err := b.image(s)
	if err != nil {
		return err
	}
	s.ImageDigest = img.locked.Digest
	template, err := b.template(s, img)
	if err != nil {
		return fmt.Errorf("the pod of step %q: %w", s.Name, err)
	}
	if s.Pod, err = json.Marshal(template); err != nil {
		return fmt.Errorf("the pod of step %q: %w", s.Name, err)
	}
	return nil
}

func (b *binder) image(s *program.Step) (image, error) {
	if img, done := b.images[s.Image]; done {
		return img, nil
	}
	ref, built := kube.ImageReference(b.source, b.stack.Registry, s.Image)
	if ref == "" {
		if built {
			return image{}, fmt.Errorf("%s must be built, but stack %q has no container_registry to push it to", s.Image, b.stack.Name)
		}
		return image{}, fmt.Errorf("step %q has no image", s.Name)
	}
	img := image{locked: b.lock.Images[ref]}
	if img.locked.Digest == "" {
		img.locked.Digest = digestOf(ref)
	}
	if img.locked.Digest == "" {
		b.miss(Missing{Kind: MissingImage, Name: ref, Built: built})
	}
	img.reference = kube.Pinned(ref, img.locked.Digest)
	b.images[s.Image] = img
	return img, nil
}
