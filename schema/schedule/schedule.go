// Package schedule says when a schedule starts runs, as the cluster's own controller does: with the same parser and the
// same clock, which passes over a time that daylight saving leaves out. It starts nothing, and reads no clock itself.
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

// Gap is a time that a schedule names and that a time zone leaves out.
type Gap struct {
	// At is the time as clocks would show it, "2027-03-28 02:30": on that day it isn't there.
	At string `json:"at"`
	// Zone is the IANA name.
	Zone string `json:"zone"`
}

// String says it in a sentence's part.
func (g Gap) String() string {
	return fmt.Sprintf("%s is not on the clocks of %s (daylight saving): no run starts for it", g.At, g.Zone)
}

// parse reads a schedule that the compiler has passed; others give an error.
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

// Next are the first n times after a moment, in the schedule's zone. There are fewer where it names days that never are.
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

// FirstGap is the first time within a year after a moment that the schedule names and its zone leaves out. A schedule of
// every hour loses nothing by an hour that isn't there, and has none.
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
	clock.Location = time.UTC // times as clocks show them, none left out
	for t := after; t.Before(after.AddDate(1, 0, 0)); {
		_, change := t.In(zone).ZoneBounds()
		if change.IsZero() {
			break
		}
		_, before := change.Add(-time.Second).In(zone).Zone()
		_, behind := change.In(zone).Zone()
		if behind > before {
			from := change.UTC().Add(time.Duration(before) * time.Second) // the first time that isn't there
			to := from.Add(time.Duration(behind-before) * time.Second)
			if at := clock.Next(from.Add(-time.Second)); !at.IsZero() && at.Before(to) {
				return Gap{At: at.Format("2006-01-02 15:04"), Zone: s.Timezone}, true
			}
		}
		t = change
	}
	return Gap{}, false
}
