package lower

import (
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// declared is an image or a code in the world that declares it.
type declared struct {
	world *evaluate.Project
	block *decode.Block
}

// paths are what the names of each library's pipelines, images and codes begin with in the program of a pipeline:
// "outer.inner.", by which two libraries never clash. Of several ways to a library the shortest counts, and of those the
// first by name: what a program calls says how it is named, and no block that it doesn't use.
func paths(w *evaluate.Project, root *check.Pipeline) map[*evaluate.Project]string {
	type edge struct {
		label string
		to    *evaluate.Project
	}
	edges := map[*evaluate.Project][]edge{}
	seen := map[*check.Pipeline]bool{root: true}
	for todo := []*check.Pipeline{root}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, s := range p.Steps {
			if s.Callee == nil {
				continue
			}
			if s.Library != "" {
				edges[p.World()] = append(edges[p.World()], edge{s.Library, s.Callee.World()})
			}
			if !seen[s.Callee] {
				seen[s.Callee] = true
				todo = append(todo, s.Callee)
			}
		}
	}
	out := map[*evaluate.Project]string{w: ""}
	for todo := []*evaluate.Project{w}; len(todo) > 0; todo = todo[1:] {
		from := todo[0]
		slices.SortFunc(edges[from], func(a, b edge) int { return strings.Compare(a.label, b.label) })
		for _, e := range edges[from] {
			if _, named := out[e.to]; !named {
				out[e.to] = out[from] + e.label + "."
				todo = append(todo, e.to)
			}
		}
	}
	return out
}

// qualify gives the image and the code of a step the names that they have in the program.
func (l *lowerer) qualify(s *program.Step) {
	at := l.paths[l.world]
	if s.Code != "" {
		d := declared{l.world, l.world.Codes[s.Code]}
		s.Code = at + s.Code
		l.codes[s.Code] = d
	}
	if name, ok := strings.CutPrefix(s.Image, "image."); ok {
		if b := l.world.Images[name]; b != nil {
			s.Image = "image." + at + name
			l.images[at+name] = declared{l.world, b}
		}
	}
}
