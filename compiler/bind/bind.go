// Package bind finds what prevents a checked project from running on its stack: parts of the language that the stack's
// orchestrator can't express (Express) and, if steps run as pods (Check), steps without an image, images that can't be
// pushed anywhere, and pods that leave Pod Security `restricted` without declaring it. It binds each program as emit and
// apply do, with an empty lock, and discards the result, because emit and apply need the lock of their own moment. Only
// steps that set parts of their pods can be wrong, so only those are bound.
//
// Projects with a local stack pay nothing for pods.
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

// Check binds a program to the stack and reports what prevents it from running there. places is the source map of the
// program. The diagnostics are added to diags.
func Check(w *evaluate.Project, p *program.Program, places program.SourceMap, stack *program.Stack, diags *diag.List) {
	c := checker{project: w, program: p, places: places, stack: stack, diags: diags}
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
		diags.Add(diag.New("evaluation", places[""], "this pipeline can't run on stack %q: %v", stack.Name, err))
		return
	}
	c.restricted(bound)
}

// own returns the steps that set parts of their pods.
func own(steps []program.Step) []program.Step {
	var out []program.Step
	for i := range steps {
		if slices.ContainsFunc(steps[i].Bodies(), restricted.Could) {
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
	diags   *diag.List
}

// sources reports params that scheduled runs can't import, because the project's directory is not on the cluster.
func (c *checker) sources() {
	if len(c.program.Schedules) == 0 {
		return
	}
	for i := range c.program.Params {
		p := &c.program.Params[i]
		s, err := program.ParseSource(p.Source)
		if err != nil || s.Path == "" {
			continue
		}
		c.diags.Add(diag.New("out-of-place", c.places["param."+p.Name+".source"], "a scheduled run can't import %q: stack %q doesn't have the project's files", p.Source, c.stack.Name).
			WithDetail("`pipec run` uploads the file of a path. A run that the cluster starts on a schedule can read only from S3.").
			WithSuggestion("write source = \"s3://BUCKET/KEY\""))
	}
}

// bodies returns Placed with, for each step, all pods of its instances.
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

// images reports the steps without an image, and the image blocks that can't be pushed.
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
			c.diags.Add(diag.New("missing", c.places[at], "step %q has no image, and stack %q runs it in a pod", s.Name, c.stack.Name).
				WithSuggestion("write image = \"python:3.13-slim\" or another one, or image = image.NAME, in the pipeline or in the step"))
		case ref == "" && built && !told[s.Image]:
			good, told[s.Image] = false, true
			name := strings.TrimPrefix(s.Image, "image.")
			c.diags.Add(diag.New("missing", c.places["image."+name], "stack %q has no container_registry, but image %q must be built and pushed to one", c.stack.Name, name).
				WithRelated(c.project.Stacks[c.stack.Name].DefRange, "the stack is declared here").
				WithSuggestion(`write container_registry "generic" { uri = "HOST/PREFIX" } in the stack`))
		case ref == "":
			good = false
		}
	}
	return good
}

// restricted reports the steps whose own `pod` or annotations leave `restricted` without a security block.
func (c *checker) restricted(bound *program.Program) {
	for at, s := range bodies(bound) {
		if s.Security != nil || !restricted.Could(s) {
			continue
		}
		l, err := restricted.Leaves(s)
		if err != nil {
			c.diags.Add(diag.New("evaluation", c.places[""], "the pods of this pipeline can't be checked: %v", err))
			return
		}
		if l != nil {
			by, verb := "pod", "leaves"
			if c.places[at+"."+by].Filename == "" {
				by, verb = "annotations", "leave"
			}
			c.diags.Add(diag.New("not-restricted", c.places[at+"."+by], "the `%s` of step %q %s Pod Security `restricted`", by, l.Step, verb).
				WithDetail("%s.", strings.Join(l.Reasons, ";\n")).
				WithSuggestion("if the step needs this, write security {} in it: plans then show it"))
		}
	}
}
