package lint

var endlessApproval = &Rule{
	Code: "endless-approval", Level: Warning,
	Summary: "Nothing ends an approval that nobody gives.",
	Doc: "Neither it nor its pipeline has a `timeout`: a run that nobody looks after waits for ever. On a cluster it holds a pod of its coordinator all that " +
		"time, and with `overlap = \"forbid\"` no other run of the schedule starts.\n\nA `timeout` of the approval says how long an answer may take, and `default` what holds " +
		"after that. A pipeline that is only there to be called by others has the time of its callers.",
	Check: func(p *Pass) {
		called := called(p.Project)
		for pl, s := range p.Steps {
			a := s.Approval
			if a == nil || a.Timeout > 0 || pl.Timeout > 0 || called[pl.Block.Label] && pl.Block.One("schedule") == nil {
				continue
			}
			p.Tell(p.New(s.Block.One("approval").DefRange, "%s %q waits for ever where nobody answers", s.Block.Def.Name, s.Name()).
				WithSuggestion(`write timeout = "24h" in the approval`))
		}
	},
}
