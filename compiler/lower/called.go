package lower

import (
	"slices"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// inherited is what steps take from a call of their pipeline, where they say nothing themselves.
type inherited struct{ image, code string }

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

// of is what of it a pipeline takes: the same pipeline with the same of it is in the program once.
func (from inherited) of(p *check.Pipeline) inherited {
	image, code := false, false
	for _, s := range p.Steps {
		image = image || s.Program.Image == "" && s.Approval == nil
		code = code || s.Program.Code == "" && s.Approval == nil
	}
	if !image {
		from.image = ""
	}
	if !code {
		from.code = ""
	}
	return from
}

// call puts the pipeline that is called into the program, where it isn't yet.
func (l *lowerer) call(p *check.Pipeline, from inherited) *program.Call {
	from = from.of(p)
	name := l.paths[p.World()] + p.Block.Label
	if from.image != "" {
		name += " image=" + from.image
	}
	if from.code != "" {
		name += " code=" + from.code
	}
	if !l.called[name] {
		l.called[name] = true
		outer := l.world
		l.world = p.World()
		called := l.pipeline(p, "called."+name+".", from)
		l.world = outer
		called.Name = name
		l.prog.Called = append(l.prog.Called, called)
	}
	return &program.Call{Pipeline: name}
}

func (l *lowerer) repeat(r *check.Repeat) *program.Repeat {
	if r == nil {
		return nil
	}
	out := &program.Repeat{Max: r.Max, Until: l.optional(r.Until)}
	for _, name := range evaluate.Names(r.Carry) {
		out.Carry = append(out.Carry, program.Carry{Name: name, Value: l.value(r.Carry[name])})
	}
	return out
}
