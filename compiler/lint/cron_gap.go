package lint

import (
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/schedule"
)

var cronGap = &Rule{
	Code: "cron-gap", Level: Warning,
	Summary: "A schedule names a time that daylight saving skips.",
	Doc: "On the day when clocks go forward this time doesn't exist, and the cluster starts no run: one run a year is missing. Choose a time " +
		"outside of that hour, or use `UTC`, which skips no time.",
	Check: func(p *Pass) {
		for _, s := range p.schedules() {
			b := s.Block
			gap, is := schedule.FirstGap(&program.Schedule{Cron: s.Cron, Timezone: s.Timezone}, evaluatedFrom)
			if !is {
				continue
			}
			_, hour, _ := strings.Cut(gap.At, " ")
			d := p.New(b.Attr("cron").Range(), "once a year the time %s doesn't exist in %s: no run starts on that day", hour, gap.Zone)
			if zone := b.Attr("timezone"); zone != nil {
				d = d.WithRelated(zone.Range(), "the time zone is set here")
			}
			p.Report(d.WithSuggestion("choose another hour, or timezone = \"UTC\""))
		}
	},
}
