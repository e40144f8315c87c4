package lower

import (
	"strings"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// sources adds to the program the codes and images that its steps use.
func (l *lowerer) sources() {
	codes, images := map[string]bool{}, map[string]bool{}
	for _, s := range l.program.Every() {
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
		c := l.codes[name]
		l.program.Codes = append(l.program.Codes, program.Code{Name: name, Dir: c.Dir, Exclude: c.Exclude, Root: c.project.Evaluated.Root})
	}
	for _, name := range evaluate.Names(images) {
		i, ok := l.images[name]
		if !ok {
			continue // a reference of a registry that begins with "image."
		}
		l.sourceMap["image."+name] = i.Block.DefRange
		l.program.Images = append(l.program.Images, program.Image{
			Name: name, Base: i.Base, Dockerfile: i.Dockerfile, Context: i.Context, Args: i.Args, Target: i.Target, Requirements: i.Requirements, Packages: i.Packages,
			Lock: i.Lock, IndexURL: i.IndexURL, ExtraIndexes: i.ExtraIndexes, FindLinks: i.FindLinks, Platforms: i.Platforms, Root: i.project.Evaluated.Root,
		})
	}
}
