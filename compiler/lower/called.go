package lower

import (
	"slices"

	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// inherited is the image and the code that the steps of a called pipeline take from the call if they set none.
type inherited struct{ image, code string }

// give sets the inherited image and code of a step.
func (from inherited) give(s *program.Step) {
	if s.Image == "" {
		s.Image = from.image
	}
	s.Variants = slices.Clone(s.Variants)
	for i := range s.Variants {
		if s.Variants[i].Image == "" {
			s.Variants[i].Image = from.image
		}
	}
	if s.Code == "" {
		s.Code = from.code
	}
}

// usedBy returns what a pipeline takes of from. Calls that pass on the same are calls of one pipeline of the program.
func (from inherited) usedBy(p *model.Pipeline) inherited {
	image, code := false, false
	for _, s := range p.Steps {
		image = image || s.Approval == nil && slices.ContainsFunc(s.Pods(), func(pod model.Pod) bool { return pod.Image == "" })
		code = code || s.Code == "" && s.Approval == nil
	}
	if !image {
		from.image = ""
	}
	if !code {
		from.code = ""
	}
	return from
}

// call adds the pipeline that is called to the program, if it is not there yet.
func (l *lowerer) call(p *model.Pipeline, from inherited) *program.Call {
	from = from.usedBy(p)
	name := l.prefixes[p.Project] + p.Block.Label
	if from.image != "" {
		name += " image=" + from.image
	}
	if from.code != "" {
		name += " code=" + from.code
	}
	if !l.called[name] {
		l.called[name] = true
		called := l.pipeline(p, "called."+name+".", from)
		called.Name = name
		l.program.Called = append(l.program.Called, called)
	}
	return &program.Call{Pipeline: name}
}
