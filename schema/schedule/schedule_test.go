package schedule_test

import (
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/schedule"
)

var now = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)

func TestNext(t *testing.T) {
	for _, c := range []struct {
		cron, zone string
		from       time.Time
		want       []string
	}{
		{"0 3 * * *", "UTC", now, []string{"2026-11-25T03:00:00Z", "2026-11-26T03:00:00Z"}},
		{"0 3 * * *", "Europe/Berlin", now, []string{"2026-11-25T03:00:00+01:00", "2026-11-26T03:00:00+01:00"}},
		{"*/30 9-17 * * 1-5", "America/New_York", now, []string{"2026-11-24T12:30:00-05:00", "2026-11-24T13:00:00-05:00"}},
		// The night of the gap has no 2:30.
		{"30 2 * * *", "Europe/Berlin", time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC), []string{"2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"}},
		{"0 0 30 2 *", "UTC", now, nil}, // never
		{"@daily", "UTC", now, []string{"2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"}},
	} {
		got, err := schedule.Next(&program.Schedule{Cron: c.cron, Timezone: c.zone}, c.from, 2)
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%s %s: %v %v, want %v", c.cron, c.zone, got, err, c.want)
			continue
		}
		for i := range got {
			if text := got[i].Format(time.RFC3339); text != c.want[i] {
				t.Errorf("%s %s: %s, want %s", c.cron, c.zone, text, c.want[i])
			}
		}
	}
}

func TestNextOfWhatIsNoSchedule(t *testing.T) {
	for _, s := range []program.Schedule{
		{Cron: "TZ=0 0 * * *", Timezone: "UTC"}, {Cron: "x", Timezone: "UTC"}, {Cron: "* * * * *", Timezone: "Europe/Nowhere"},
	} {
		if got, err := schedule.Next(&s, now, 1); err == nil {
			t.Errorf("%+v: %v", s, got)
		}
		if g, ok := schedule.FirstGap(&s, now); ok {
			t.Errorf("%+v: %v", s, g)
		}
	}
}

func TestFirstGap(t *testing.T) {
	for _, c := range []struct{ cron, zone, want string }{
		{"30 2 * * *", "Europe/Berlin", "2027-03-28 02:30"},
		{"0 2 * * *", "Europe/Berlin", "2027-03-28 02:00"},
		{"0 3 * * *", "Europe/Berlin", ""}, // the first time that is there
		{"59 1 * * *", "Europe/Berlin", ""},
		{"30 2 * * 1-5", "Europe/Berlin", ""},                // clocks change on a Sunday
		{"30 2 28 3 *", "Europe/Berlin", "2027-03-28 02:30"}, // once a year, and then not
		{"30 2 1 * *", "Europe/Berlin", ""},
		{"30 * * * *", "Europe/Berlin", ""}, // every hour: no hour is lost
		{"*/10 * * * *", "Europe/Berlin", ""},
		{"15 */2 * * *", "Europe/Berlin", "2027-03-28 02:15"},
		{"30 2 * * *", "America/New_York", "2027-03-14 02:30"},
		{"30 2 * * *", "Australia/Lord_Howe", ""}, // its gap is from 2:00 to 2:30
		{"15 2 * * *", "Australia/Lord_Howe", "2027-10-03 02:15"},
		{"30 2 * * *", "UTC", ""},
		{"30 2 * * *", "Asia/Kolkata", ""},
		{"@daily", "Europe/Berlin", ""},
		{"@every 1h", "Europe/Berlin", ""},
	} {
		got, ok := schedule.FirstGap(&program.Schedule{Cron: c.cron, Timezone: c.zone}, now)
		if got.At != c.want || ok != (c.want != "") {
			t.Errorf("%s %s: %q, want %q", c.cron, c.zone, got.At, c.want)
		}
	}
}
