// Package bind finds what keeps a checked project from running on its stack: parts of the language that the stack's
// orchestrator can't express (Express) and, if steps run as pods (Check), steps without an image, images that could be
// pushed nowhere, pods that leave Pod Security `restricted` without saying so. It binds each program as emit and
// apply will, with an empty lock, and throws the result away: what they write must hold the lock of its moment. Only the
// steps that have a say in their pods can be amiss, and only those are bound.
//
// Projects on a local stack pay nothing for pods.
package bind

import (
	"iter"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

// Check binds a program to the stack and tells what stands in the way. places is the program's.
func Check(w *evaluate.Project, p *program.Program, places program.SourceMap, stack *program.Stack) {
	c := checker{project: w, program: p, places: places, stack: stack}
	c.sources()
	if !c.images() {
		return
	}
	part := *p
	part.Steps, part.Finally = own(p.Steps), own(p.Finally)
	part.Called = nil
	for _, called := range p.Called {
		called.Steps, called.Finally = own(called.Steps), own(called.Finally)
		part.Called = append(part.Called, called)
	}
	if len(part.Every()) == 0 {
		return
	}
	bound, _, err := pod.Bind(&part, stack, nil, pod.Options{})
	if err != nil {
		w.Diags.Add(diag.New("evaluation", places[""], "this pipeline can't run on stack %q: %v", stack.Name, err))
		return
	}
	c.restricted(bound)
}

// own are the steps with a `pod` or a security block.
func own(steps []program.Step) []program.Step {
	var out []program.Step
	for i := range steps {
		if slices.ContainsFunc(steps[i].Bodies(), func(s *program.Step) bool { return len(s.PodPatch) > 0 || s.Security != nil }) {
			out = append(out, steps[i])
		}
	}
	return out
}

type checker struct {
	project *evaluate.Project
	program *program.Program
	places  program.SourceMap
	stack   *program.Stack
}

// sources tells params that runs by the clock could not import: there is no project beside them.
func (c *checker) sources() {
	if c.program.Schedule == nil {
		return
	}
	for i := range c.program.Params {
		p := &c.program.Params[i]
		s, err := program.ParseSource(p.Source)
		if err != nil || s.Path == "" {
			continue
		}
		c.project.Diags.Add(diag.New("out-of-place", c.places["param."+p.Name+".source"], "a run by the clock can't import %q: the project is not there, where stack %q runs", p.Source, c.stack.Name).
			WithDetail("`pipec run` uploads what a path names; a run that the cluster starts by itself can read S3 alone.").
			WithSuggestion("write source = \"s3://BUCKET/KEY\""))
	}
}

// bodies gives Placed, each step with all pods that its instances have.
func bodies(p *program.Program) iter.Seq2[string, *program.Step] {
	return func(yield func(string, *program.Step) bool) {
		for at, s := range p.Placed() {
			for _, one := range s.Bodies() {
				if !yield(at, one) {
					return
				}
			}
		}
	}
}

// images tells the steps that have none, and the image blocks that could not be pushed.
func (c *checker) images() bool {
	good, told := true, map[string]bool{}
	for at, s := range bodies(c.program) {
		if !s.Process() || s.Idle() {
			continue
		}
		ref, built := kube.ImageReference(c.program, c.stack.Registry, s.Image)
		switch {
		case s.Image == "":
			good = false
			c.project.Diags.Add(diag.New("missing", c.places[at], "step %q has no image, and stack %q runs it in a pod", s.Name, c.stack.Name).
				WithSuggestion("write image = image.NAME in the pipeline or in the step"))
		case ref == "" && built && !told[s.Image]:
			good, told[s.Image] = false, true
			name := strings.TrimPrefix(s.Image, "image.")
			c.project.Diags.Add(diag.New("missing", c.places["image."+name], "stack %q has no container_registry, and image %q has to be built and pushed to one", c.stack.Name, name).
				WithRelated(c.project.Stacks[c.stack.Name].DefRange, "the stack is declared here").
				WithSuggestion(`write container_registry "generic" { uri = "HOST/PREFIX" } in the stack`))
		case ref == "":
			good = false
		}
	}
	return good
}

// restricted tells the steps whose own `pod` leaves `restricted`: that takes a security block.
func (c *checker) restricted(bound *program.Program) {
	for at, s := range bodies(bound) {
		if s.Security != nil || len(s.PodPatch) == 0 {
			continue
		}
		l, err := restricted.Leaves(s)
		if err != nil {
			c.project.Diags.Add(diag.New("evaluation", c.places[""], "the pods of this pipeline can't be checked: %v", err))
			return
		}
		if l != nil {
			c.project.Diags.Add(diag.New("not-restricted", c.places[at+".pod"], "the `pod` of step %q leaves Pod Security `restricted`", l.Step).
				WithDetail("%s.", strings.Join(l.Reasons, ";\n")).
				WithSuggestion("write security {} in the step, if it must: plans point at it"))
		}
	}
}
