package lint

import (
	"iter"
	"math/bits"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/schedule"
)

// maxPerHour allows a run every five minutes.
const maxPerHour = 12

// evaluatedFrom is the time from which schedules are evaluated. It is fixed because findings must not depend on the current time.
var evaluatedFrom = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

var cronFrequent = &Rule{
	Code: "cron-frequent", Level: Warning,
	Summary: "A schedule starts runs more often than every five minutes.",
	Doc: "Each run has a coordinator, pods, and records that are stored. Work that has to happen every minute is better done by a service, or by a loop in one step. " +
		"Often the fields are in the wrong order: minutes come first.",
	Check: func(p *Pass) {
		for _, s := range p.schedules() {
			b := s.Block
			spec, err := cron.ParseStandard(s.Cron)
			if err != nil {
				continue
			}
			if every, ok := spec.(cron.ConstantDelaySchedule); ok && every.Delay < time.Hour/maxPerHour {
				p.Report(p.New(b.Attr("cron").Range(), "this schedule starts a run every %s", span(every.Delay)))
			}
			fields, ok := spec.(*cron.SpecSchedule)
			if !ok {
				continue
			}
			if n := bits.OnesCount64(fields.Minute & (1<<60 - 1)); n > maxPerHour {
				d := p.New(b.Attr("cron").Range(), "this schedule starts %d runs an hour", n)
				if strings.HasPrefix(s.Cron, "* ") {
					d = d.WithSuggestion(`minutes come first: "0 3 * * *" is every day at 3:00`)
				}
				p.Report(d)
			}
		}
	},
}

// schedules yields the schedules of all pipelines, with their pipelines.
func (p *Pass) schedules() iter.Seq2[*model.Pipeline, *model.Schedule] {
	return func(yield func(*model.Pipeline, *model.Schedule) bool) {
		for _, pl := range p.Pipelines {
			for _, s := range pl.Schedules {
				if !yield(pl, s) {
					return
				}
			}
		}
	}
}

// shortest returns the shortest time between two starts within a year, among a limited number of starts; 0 if there are no
// two starts.
func shortest(s *model.Schedule) time.Duration {
	const most = 400
	plain := program.Schedule{Cron: s.Cron, Timezone: "UTC"} // a day of 23 hours must not cause a finding
	starts, err := schedule.Next(&plain, evaluatedFrom, most)
	if err != nil {
		return 0
	}
	least := time.Duration(0)
	for i := 1; i < len(starts); i++ {
		if d := starts[i].Sub(starts[i-1]); least == 0 || d < least {
			least = d
		}
	}
	return least
}
