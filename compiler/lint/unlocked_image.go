package lint

var unlockedImage = &Rule{
	Code: "unlocked-image", Level: Off,
	Summary: "An image has no digest, neither in its reference nor in the lock.",
	Doc: "For projects that want every image pinned by what it holds: by a digest in its reference, or by `pipec push`, which writes it into " +
		"`pipec.lock.json`, to be committed. Off unless the project asks for it.\n\nThe rule is asked where a stack of the project is on Kubernetes.",
	Check: func(p *Pass) {
		images := p.pins()
		for pl, s := range p.Steps {
			if !images.floating(pl, s) {
				continue
			}
			at := s.Block.DefRange
			if e := s.Block.Attr("image"); e != nil {
				at = e.Range()
			} else if e := pl.Block.Attr("image"); e != nil {
				at = e.Range()
			}
			p.Tell(p.New(at, "the digest of image %q is not known", s.Pod.Image).WithSuggestion("`pipec push` finds it"))
		}
	},
}
