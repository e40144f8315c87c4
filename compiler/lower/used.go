package lower

import (
	"strings"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// used lists the codes and images that a step uses.
func (l *lowerer) used() {
	codes, images := map[string]bool{}, map[string]bool{}
	for _, s := range l.prog.Every() {
		if s.Code != "" {
			codes[s.Code] = true
		}
		for _, one := range s.Bodies() {
			if name, ok := strings.CutPrefix(one.Image, "image."); ok {
				images[name] = true
			}
		}
	}
	for _, name := range evaluate.Names(codes) {
		w, b := l.codes[name].world, l.codes[name].block
		l.prog.Codes = append(l.prog.Codes, program.Code{Name: name, Dir: check.Path(w, b, "dir"), Exclude: w.Strings(b, "exclude"), Root: w.Root})
	}
	for _, name := range evaluate.Names(images) {
		d, ok := l.images[name]
		if !ok {
			continue // a reference that begins with image. and names no block
		}
		w, b := d.world, d.block
		l.places["image."+name] = b.DefRange
		image := program.Image{Name: name, Requirements: w.Strings(b, "requirements"), Packages: w.Strings(b, "packages"), Root: w.Root}
		image.Base, _ = w.String(b, "base")
		if b.Attr("dockerfile") != nil {
			image.Dockerfile = check.Path(w, b, "dockerfile")
		}
		l.prog.Images = append(l.prog.Images, image)
	}
}
