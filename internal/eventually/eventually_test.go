package eventually_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pipec.dev/pipec/internal/eventually"
)

func TestHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		after := func(d time.Duration) func() bool { return func() bool { return time.Since(began) >= d } }
		if !eventually.Holds(time.Minute, after(0)) || time.Since(began) != 0 {
			t.Errorf("a condition that holds took %s", time.Since(began))
		}
		if !eventually.Holds(time.Minute, after(10*time.Second)) || time.Since(began) > 10*time.Second+250*time.Millisecond {
			t.Errorf("a condition that holds after 10s was seen after %s", time.Since(began))
		}
		if eventually.Holds(time.Minute, after(time.Hour)) {
			t.Error("a condition that holds after an hour is said to hold within a minute")
		}
	})
}
