package lint

import (
	"strings"

	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

var unpinnedCache = &Rule{
	Code: "unpinned-cache", Level: Warning,
	Summary: "A step has caching on and an image without a digest: on a cluster it is never cached.",
	Doc: "A tag can name another image tomorrow, so a result that was computed with it can't be reused. Write the digest into the reference, or let " +
		"`pipec push` find it and commit `pipec.lock.json`.\n\nThe rule applies if a stack of the project is on Kubernetes.",
	Check: func(p *Pass) {
		if p.Library {
			return // the names of a library's images in a registry depend on the programs that call it
		}
		images := p.pins()
		for pl, s := range p.Steps {
			if s.Cache == nil || !images.floating(pl, s) {
				continue
			}
			at := s.Block.DefRange
			if a := s.Block.Attrs["cache"]; a != nil {
				at = a.NameRange
			} else if b := s.Block.One("cache"); b != nil {
				at = b.DefRange
			}
			p.Report(p.New(at, "%s %q is never cached on a cluster: the digest of its image is not known", s.Block.Def.Name, s.Name()).
				WithSuggestion("run `pipec push`, which writes it to %s", program.LockFile))
		}
	},
}

// pinned records which images have a digest on some stack that is a cluster.
type pinned struct {
	p     *Pass
	known map[imageOf]bool // images that have been looked up
}

type imageOf struct {
	pipeline *model.Pipeline
	image    string
}

func (p *Pass) pins() pinned {
	return pinned{p: p, known: map[imageOf]bool{}}
}

// floating reports whether a cluster would run the step and no stack has a digest of its image.
func (i pinned) floating(pl *model.Pipeline, s *model.Step) bool {
	image := s.Pod.Image
	if image == "" || i.p.Program(pl) == nil || !i.p.Clustered() {
		return false
	}
	key := imageOf{pl, image}
	floating, known := i.known[key]
	if !known {
		floating = !i.pinned(pl, image)
		i.known[key] = floating
	}
	return floating
}

func (i pinned) pinned(pl *model.Pipeline, image string) bool {
	for _, stack := range i.p.Stacks {
		if !i.p.Kinds.Pods(stack) {
			continue
		}
		ref, _ := kube.ImageReference(i.p.Program(pl), stack.Registry, image)
		if strings.Contains(ref, "@sha256:") || i.p.Options.Lock != nil && i.p.Options.Lock.Images[ref].Digest != "" {
			return true
		}
	}
	return false
}
