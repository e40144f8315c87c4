package lint

import (
	"strings"

	"pipec.dev/pipec/schema/kube"
)

var shortenedName = &Rule{
	Code: "shortened-name", Level: Note,
	Summary: "A name is too long for Kubernetes, and is shortened there.",
	Doc: "The length of names of Jobs and pods is limited. A longer name is cut, and a digest of the whole name is appended. It stays unique, but `kubectl get pods` " +
		"doesn't show it completely. 52 characters of a pipeline's name are kept and 40 of a step's; 9 fewer for a name with upper-case letters or underscores, " +
		"which need a digest too.\n\nThe rule applies if a stack of the project is on Kubernetes.",
	Check: func(p *Pass) {
		if !p.Clustered() {
			return
		}
		for _, pl := range p.Pipelines {
			if name := kube.CronJobName(pl.Block.Label); cut(pl.Block.Label, name) {
				p.Report(p.New(pl.Block.LabelRange, "on a cluster, the pipeline's name is cut to %q", name))
			}
			for _, s := range pl.Schedules {
				if name := kube.ScheduleName(pl.Block.Label, s.Name); s.Name != "" && cut(pl.Block.Label+"-"+s.Name, name) {
					p.Report(p.New(s.Block.LabelRange, "on a cluster, the name of the schedule's CronJob is cut to %q", name))
				}
			}
			for _, s := range pl.Steps {
				pod := kube.PodName("", s.Name(), 1)
				if name := pod[:strings.LastIndexByte(pod, '-')]; cut(s.Name(), name) {
					p.Report(p.New(s.Block.LabelRange, "on a cluster, the name of the %s is cut to %q in the names of its pods", s.Block.Def.Name, name))
				}
			}
		}
	},
}

// cut reports whether a part of a name is missing in the name made from it, NAME or PART-DIGEST.
func cut(name, made string) bool {
	i := strings.LastIndexByte(made, '-')
	return !strings.EqualFold(name, made) && i >= 0 && i < len(strings.Trim(name, "-_"))
}
