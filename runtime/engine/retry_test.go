package engine

import (
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

const second = program.Duration(time.Second)

func TestDelay(t *testing.T) {
	for _, tc := range []struct {
		name     string
		r        program.Retry
		failures int
		low, top time.Duration
	}{
		{"none", program.Retry{}, 3, 0, 0},
		{"first", program.Retry{Delay: 10 * second, Factor: 2}, 1, 9 * time.Second, 11 * time.Second},
		{"third", program.Retry{Delay: 10 * second, Factor: 2}, 3, 36 * time.Second, 44 * time.Second},
		{"no factor", program.Retry{Delay: 10 * second}, 7, 9 * time.Second, 11 * time.Second},
		{"capped", program.Retry{Delay: 10 * second, Factor: 2, MaxDelay: 15 * second}, 9, 13500 * time.Millisecond, 15 * time.Second},
		{"beyond numbers", program.Retry{Delay: 10 * second, Factor: 1e300}, 1000, 21 * time.Hour, maxDelay},
		{"negative", program.Retry{Delay: -second, Factor: 2}, 2, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for attempt := range 50 {
				s := &retries{uid: "u"}
				d := s.delay(&node{step: &program.Step{Name: "a", Retry: tc.r}, attempts: attempt}, tc.failures)
				if d < tc.low || d > tc.top {
					t.Errorf("attempt %d: %s is not between %s and %s", attempt, d, tc.low, tc.top)
				}
			}
		})
	}
}

// TestInfrastructureDelay: failures of the infrastructure are followed by growing pauses, also if the step sets none.
func TestInfrastructureDelay(t *testing.T) {
	lost := &record.Result{Status: record.Failed, Class: record.ClassInfrastructure}
	for _, tc := range []struct {
		name     string
		r        program.Retry
		failures int
		low, top time.Duration
	}{
		{"first", program.Retry{}, 1, 900 * time.Millisecond, 1100 * time.Millisecond},
		{"third", program.Retry{}, 3, 14400 * time.Millisecond, 17600 * time.Millisecond},
		{"many", program.Retry{}, 1000, 270 * time.Second, 330 * time.Second},
		{"longer", program.Retry{Delay: 10 * second, Factor: 2}, 1, 9 * time.Second, 11 * time.Second},
		{"shorter", program.Retry{Delay: second, Factor: 1}, 3, 14400 * time.Millisecond, 17600 * time.Millisecond},
		{"limited", program.Retry{MaxDelay: 2 * second}, 5, 1800 * time.Millisecond, 2 * time.Second},
	} {
		d := (&retries{uid: "u"}).delay(&node{step: &program.Step{Name: "a", Retry: tc.r}, lastResult: lost}, tc.failures)
		if d < tc.low || d > tc.top {
			t.Errorf("%s: %s is not between %s and %s", tc.name, d, tc.low, tc.top)
		}
	}
}

func TestJitterDiffers(t *testing.T) {
	seen := map[float64]string{}
	for _, uid := range []string{"u", "v"} {
		for _, name := range []string{"a", "b"} {
			for attempt := range 20 {
				s := &retries{uid: uid}
				j := s.jitter(&node{addr: name, attempts: attempt})
				if other, ok := seen[j]; ok || j < -1 || j > 1 {
					t.Errorf("%s %s %d has jitter %v, as %q", uid, name, attempt, j, other)
				}
				seen[j] = uid + name
			}
		}
	}
}
