package lint

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
)

var floatingImage = &Rule{
	Code: "floating-image", Level: Warning,
	Summary: "An image has the tag latest, or neither tag nor digest.",
	Doc: "The image behind such a name changes with every push: the same pipeline may have other results tomorrow, for no visible reason. " +
		"Use a version, or better a digest.",
	Check: func(p *Pass) {
		for _, name := range evaluate.Names(p.Evaluated.Images) {
			if p.Library && !p.usesImage("image."+name) {
				continue
			}
			floating(p, p.Evaluated.Images[name], "base")
		}
		for _, pl := range p.Pipelines {
			floating(p, pl.Block, "image")
			for _, s := range pl.Steps {
				for _, one := range s.Pods() {
					if e := s.Block.Attr("image"); e != nil && !strings.HasPrefix(one.Image, "image.") {
						floats(p, e, one.Image)
					}
				}
			}
		}
	},
}

func floating(p *Pass, b *decode.Block, name string) {
	e := b.Attr(name)
	if e == nil {
		return
	}
	if t, hclDiags := hcl.AbsTraversalForExpr(e); !hclDiags.HasErrors() && t.RootName() == "image" {
		return
	}
	if ref, ok := p.Evaluated.Attributes.String(b, name); ok {
		floats(p, e, ref)
	}
}

// floats reports a reference to an image that can change.
func floats(p *Pass, e hcl.Expression, ref string) {
	if ref == "" || strings.Contains(ref, "@") {
		return
	}
	_, tag, tagged := strings.Cut(ref[strings.LastIndexByte(ref, '/')+1:], ":")
	switch {
	case !tagged:
		p.Report(p.New(e.Range(), "the image %q has no tag, so it means the latest image", ref).WithSuggestion("add a version or a digest"))
	case tag == "latest":
		p.Report(p.New(e.Range(), "the image %q changes with every push", ref).WithSuggestion("use a version or a digest"))
	}
}

// usesImage reports whether a linted step uses an image.
func (p *Project) usesImage(image string) bool {
	for _, s := range p.Steps {
		if s.Pod.Image == image {
			return true
		}
	}
	return false
}
