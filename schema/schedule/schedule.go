// Package schedule computes when a schedule starts runs, in the same way as the CronJob controller of the cluster: with the same
// parser and the same treatment of times that daylight saving time skips. It starts nothing, and reads no clock.
package schedule

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
	_ "time/tzdata" // time zones are the same on every machine

	"github.com/robfig/cron/v3"

	"pipec.dev/pipec/schema/program"
)

// Gap is a time of a schedule that its time zone skips.
type Gap struct {
	// At is the local time, "2027-03-28 02:30", which does not exist on that day.
	At string `json:"at"`
	// Zone is the IANA name of the time zone.
	Zone string `json:"zone"`
}

// String describes the gap, to be used in a sentence.
func (g Gap) String() string {
	return fmt.Sprintf("the clocks of %[2]s skip %[1]s (daylight saving): no run starts for it", g.At, g.Zone)
}

// parse parses a schedule that the compiler has accepted.
func parse(s *program.Schedule) (cron.Schedule, *time.Location, error) {
	if strings.Contains(s.Cron, "TZ=") { // the parser panics on some of them
		return nil, nil, fmt.Errorf("cron %q names a time zone", s.Cron)
	}
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return nil, nil, err
	}
	spec, err := cron.ParseStandard(s.Cron)
	return spec, zone, err
}

// Next returns the next n times after a moment, in the zone of the schedule. It returns fewer if the schedule names days that do not
// exist.
func Next(s *program.Schedule, after time.Time, n int) ([]time.Time, error) {
	spec, zone, err := parse(s)
	if err != nil {
		return nil, err
	}
	var out []time.Time
	for t := after.In(zone); len(out) < n; {
		if t = spec.Next(t); t.IsZero() {
			break
		}
		out = append(out, t)
	}
	return out, nil
}

// FirstGap returns the first time of the schedule within a year after a moment that its zone skips. A schedule that runs every hour
// has no gap.
func FirstGap(s *program.Schedule, after time.Time) (Gap, bool) {
	spec, zone, err := parse(s)
	if err != nil {
		return Gap{}, false
	}
	fields, ok := spec.(*cron.SpecSchedule)
	if !ok || bits.OnesCount64(fields.Hour&(1<<24-1)) == 24 {
		return Gap{}, false
	}
	clock := *fields
	clock.Location = time.UTC // local times, without gaps
	for t := after; t.Before(after.AddDate(1, 0, 0)); {
		_, change := t.In(zone).ZoneBounds()
		if change.IsZero() {
			break
		}
		_, before := change.Add(-time.Second).In(zone).Zone()
		_, behind := change.In(zone).Zone()
		if behind > before {
			from := change.UTC().Add(time.Duration(before) * time.Second) // the first local time that does not exist
			to := from.Add(time.Duration(behind-before) * time.Second)
			if at := clock.Next(from.Add(-time.Second)); !at.IsZero() && at.Before(to) {
				return Gap{At: at.Format("2006-01-02 15:04"), Zone: s.Timezone}, true
			}
		}
		t = change
	}
	return Gap{}, false
}
