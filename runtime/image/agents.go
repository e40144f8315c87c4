package image

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pipec.dev/pipec/runtime/image/agent"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// agent pushes the agent's image if the registry lacks it, or pins the image that the user set.
func (p *pusher) agent(ctx context.Context, w *Want) (Item, func(*program.Lock), error) {
	uri := ""
	if p.o.Stack.Registry != nil {
		uri = p.o.Stack.Registry.URI
	}
	if p.o.AgentImage != "" {
		w.Ref = p.o.AgentImage
		return p.namedAgent(ctx, uri)
	}
	if uri == "" {
		return Item{}, nil, fmt.Errorf("stack %q has no container_registry to push it to: add one, or set PIPEC_AGENT_IMAGE to an image of pipec-agent", p.o.Stack.Name)
	}
	image, err := agent.Find(p.o.Executable)
	if err != nil {
		return Item{}, nil, err
	}
	pinned := kube.Pinned(w.Ref, image.Digest)
	item := Item{Digest: image.Digest, Status: Unchanged, Note: image.Note}
	there, err := p.o.Registry.Has(ctx, w.Ref, image.Digest)
	switch {
	case err != nil && couldNotAsk(err) && p.o.Lenient && p.lock.Agents[uri] == pinned:
		item.Note = "not checked: " + err.Error()
		return item, keepAgent(uri, pinned), nil
	case err != nil:
		return item, nil, err
	case !there:
		err = p.pushAgent(ctx, w, image)
		item.Status = Pushed
	}
	return item, keepAgent(uri, pinned), err
}

// pushAgent pushes the image with a tag made from its digest, because registries remove images without tags.
func (p *pusher) pushAgent(ctx context.Context, w *Want, image *agent.Image) error {
	p.progress(KindAgent, w.Name, 0, 0)
	tag := strings.TrimPrefix(image.Digest, "sha256:")[:16]
	return p.o.Registry.Push(ctx, w.Ref+":"+tag, image.Index, func(done, total int64) {
		p.progress(KindAgent, w.Name, done, total)
	})
}

// namedAgent returns the agent image that PIPEC_AGENT_IMAGE names. It is in a registry already and is not copied.
func (p *pusher) namedAgent(ctx context.Context, uri string) (Item, func(*program.Lock), error) {
	found, err := p.o.Registry.Resolve(ctx, p.o.AgentImage)
	var f *registry.Fault
	if errors.As(err, &f) && f.UsersFault() {
		return Item{}, nil, fmt.Errorf("PIPEC_AGENT_IMAGE: %w", err)
	}
	if err != nil {
		return Item{}, nil, err
	}
	pinned := kube.Pinned(p.o.AgentImage, found.Digest)
	item := Item{Digest: found.Digest, Status: Pinned}
	if p.lock.Agents[uri] == pinned {
		item.Status = Unchanged
	}
	return item, keepAgent(uri, pinned), nil
}

func keepAgent(uri, pinned string) func(*program.Lock) {
	return func(l *program.Lock) {
		if l.Agents == nil {
			l.Agents = map[string]string{}
		}
		l.Agents[uri] = pinned
	}
}
