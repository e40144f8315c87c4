package aws

import (
	"slices"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// AccountsOf returns the service accounts and the images that the pipelines need on a stack. A step with a service account of its
// own has the rights of that account, which isn't bound.
func AccountsOf(programs []*program.Program, stack *program.Stack) program.Accounts {
	var out program.Accounts
	below := &program.Registry{}
	for _, p := range programs {
		coordinator := stack.Orchestrator.Coordinator.Account()
		if coordinator == "" {
			coordinator = kube.CoordinatorName(p.Pipeline)
		}
		out.Coordinators, out.Steps = append(out.Coordinators, coordinator), append(out.Steps, kube.StepsName(p.Pipeline))
		for i := range p.Images {
			image := &p.Images[i]
			if image.Dockerfile != "" || len(image.Requirements) > 0 || len(image.Packages) > 0 {
				out.Images = append(out.Images, kube.Repository(below, p.Project, image.Name)[1:])
			}
		}
	}
	for _, names := range []*[]string{&out.Coordinators, &out.Steps, &out.Images} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return out
}
