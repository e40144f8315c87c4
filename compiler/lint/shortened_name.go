package lint

import (
	"strings"

	"pipec.dev/pipec/schema/kube"
)

var shortenedName = &Rule{
	Code: "shortened-name", Level: Note,
	Summary: "A name is too long for Kubernetes, and is cut there.",
	Doc: "Names of Jobs and pods are bounded. A longer one is cut, and a digest of the whole stands behind it: it stays unique, but `kubectl get pods` " +
		"doesn't show it. Of a pipeline's name 52 characters stay, of a step's 40; less by 9 where it has letters in upper case or underscores, " +
		"which take a digest too.\n\nThe rule is asked where a stack of the project is on Kubernetes.",
	Check: func(p *Pass) {
		if !p.Clustered() {
			return
		}
		for _, pl := range p.Pipelines {
			if name := kube.CronJobName(pl.Block.Label); cut(pl.Block.Label, name) {
				p.Tell(p.New(pl.Block.LabelRange, "on a cluster, the pipeline's name is cut to %q", name))
			}
			for _, s := range pl.Steps {
				pod := kube.PodName("", s.Name(), 1)
				if name := pod[:strings.LastIndexByte(pod, '-')]; cut(s.Name(), name) {
					p.Tell(p.New(s.Block.LabelRange, "on a cluster, the name of the %s is cut to %q in those of its pods", s.Block.Def.Name, name))
				}
			}
		}
	},
}

// cut says whether some of a name is missing in what was made of it, NAME or PART-DIGEST.
func cut(name, made string) bool {
	i := strings.LastIndexByte(made, '-')
	return !strings.EqualFold(name, made) && i >= 0 && i < len(strings.Trim(name, "-_"))
}
