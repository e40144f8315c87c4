package lint

var unlockedImage = &Rule{
	Code: "unlocked-image", Level: Off,
	Summary: "An image has no digest, neither in its reference nor in the lock.",
	Doc: "For projects in which every image must be pinned by its digest: in its reference, or by `pipec push`, which writes the digest into " +
		"`pipec.lock.json`, which you commit. Off unless the project enables it.\n\nThe rule applies if a stack of the project is on Kubernetes.",
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
			p.Report(p.New(at, "the digest of image %q is not known", s.Pod.Image).WithSuggestion("`pipec push` finds it"))
		}
	},
}
