package lint

var endlessApproval = &Rule{
	Code: "endless-approval", Level: Warning,
	Summary: "An approval without an answer waits forever.",
	Doc: "Neither the approval nor its pipeline has a `timeout`, so an unanswered run waits forever. On a cluster the pod of its coordinator runs all that " +
		"time, and with `overlap = \"forbid\"` no other run of the schedule starts.\n\nA `timeout` of the approval limits how long an answer may take, and `default` is the answer " +
		"after that. A pipeline that only other pipelines call has the timeout of its callers.",
	Check: func(p *Pass) {
		for pl, s := range p.Steps {
			a := s.Approval
			if a == nil || a.Timeout > 0 || pl.Timeout > 0 || pl.Called() {
				continue
			}
			p.Report(p.New(s.Block.One("approval").DefRange, "%s %q waits forever without an answer", s.Block.Def.Name, s.Name()).
				WithSuggestion(`write timeout = "24h" in the approval`))
		}
	},
}
