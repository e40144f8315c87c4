package lower

import (
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// image is an image block, and the project or library that declares it.
type image struct {
	*model.Image
	project *model.Project
}

// code is a code block, and the project or library that declares it.
type code struct {
	*model.Code
	project *model.Project
}

// prefixes returns, for each library that the program of a pipeline uses, the prefix "outer.inner." of the names of its
// pipelines, images and codes. Of several paths to a library the shortest one counts, and of those the first by name. Only
// calls of the program are paths, so that its names do not depend on blocks that it does not use.
func prefixes(root *model.Pipeline) map[*model.Project]string {
	edges := libraryCalls(root)
	out := map[*model.Project]string{root.Project: ""}
	for queue := []*model.Project{root.Project}; len(queue) > 0; queue = queue[1:] {
		from := queue[0]
		slices.SortFunc(edges[from], func(a, b libraryCall) int { return strings.Compare(a.name, b.name) })
		for _, e := range edges[from] {
			if _, named := out[e.to]; !named {
				out[e.to] = out[from] + e.name + "."
				queue = append(queue, e.to)
			}
		}
	}
	return out
}

// libraryCall is a call from one project or library into another, and the name that the caller has for it.
type libraryCall struct {
	name string
	to   *model.Project
}

// libraryCalls returns the calls into libraries that a pipeline makes, directly or not, by the project of the caller.
func libraryCalls(root *model.Pipeline) map[*model.Project][]libraryCall {
	out := map[*model.Project][]libraryCall{}
	seen := map[*model.Pipeline]bool{root: true}
	for todo := []*model.Pipeline{root}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, s := range p.Steps {
			if s.Callee == nil {
				continue
			}
			if s.Library != "" {
				out[p.Project] = append(out[p.Project], libraryCall{s.Library, s.Callee.Project})
			}
			if !seen[s.Callee] {
				seen[s.Callee] = true
				todo = append(todo, s.Callee)
			}
		}
	}
	return out
}

// qualify replaces the names of the images and the code of a step by the names that they have in the program.
func (l *lowerer) qualify(project *model.Project, s *program.Step) {
	if c := project.Codes[s.Code]; c != nil {
		s.Code = l.prefixes[project] + s.Code
		l.codes[s.Code] = &code{c, project}
	}
	s.Image = l.qualified(project, s.Image)
	for i := range s.Variants {
		v := &s.Variants[i]
		v.Image = l.qualified(project, v.Image)
	}
}

// qualified returns a step's image with the name that it has in the program.
func (l *lowerer) qualified(project *model.Project, text string) string {
	name, ok := strings.CutPrefix(text, "image.")
	i := project.Images[name]
	if !ok || i == nil {
		return text
	}
	name = l.prefixes[project] + name
	l.images[name] = &image{i, project}
	return "image." + name
}
