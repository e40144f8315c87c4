package lint

import (
	"strings"

	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

var leavesRestricted = &Rule{
	Code: "leaves-restricted", Level: Warning,
	Summary: "A step's pod leaves Pod Security `restricted`.",
	Doc: "Its `security` block, its `pod` or its annotations permit what pods of steps otherwise can't do: run as root, have capabilities, use directories of the node. A namespace " +
		"that enforces `restricted` rejects such a pod, and a reviewer should see it. If the step needs it, ignore this finding and write the reason.",
	Check: func(p *Pass) {
		for _, pl := range p.Pipelines {
			prog := p.Program(pl)
			if prog == nil {
				continue
			}
			part := program.Program{
				Version: prog.Version, Project: prog.Project, Pipeline: prog.Pipeline, Images: prog.Images,
				Steps: loosened(prog.Steps), Finally: loosened(prog.Finally),
			}
			if len(part.Steps)+len(part.Finally) == 0 {
				continue
			}
			bound, _, err := pod.Bind(&part, anyCluster, nil, pod.Options{})
			if err != nil {
				continue // binding errors are reported by the phase that binds
			}
			leaving, err := restricted.Leaving(bound)
			if err != nil {
				continue
			}
			reasons := map[string][]string{}
			for _, l := range leaving {
				reasons[l.Step] = l.Reasons
			}
			for _, s := range pl.Steps {
				if why := reasons[s.Name()]; len(why) > 0 {
					at := s.Block.DefRange
					if b := s.Block.One("security"); b != nil {
						at = b.DefRange
					} else if e := s.Block.Attr("pod"); e != nil {
						at = e.Range()
					} else if e := s.Block.Attr("annotations"); e != nil {
						at = e.Range()
					}
					p.Report(p.New(at, "%s %q leaves Pod Security `restricted`", s.Block.Def.Name, s.Name()).
						WithDetail("%s.", strings.Join(why, ";\n")))
				}
			}
		}
	},
}

// anyCluster is a stack for making pods. What a pod may do doesn't depend on the cluster or the store.
var anyCluster = &program.Stack{
	Name: "lint", Orchestrator: program.Orchestrator{Namespace: "default"},
	Registry: &program.Registry{Kind: "generic", URI: "lint.invalid"},
}

// loosened returns the steps that could leave `restricted`, each with an image.
func loosened(steps []program.Step) []program.Step {
	var out []program.Step
	for i := range steps {
		for _, body := range steps[i].Bodies() {
			if !restricted.Could(body) {
				continue
			}
			s := *body
			if s.Image == "" {
				s.Image = "lint.invalid/image"
			}
			out = append(out, s)
		}
	}
	return out
}
