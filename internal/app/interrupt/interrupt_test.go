package interrupt_test

import (
	"testing"

	"pipec.dev/pipec/internal/app/interrupt"
)

func TestContext(t *testing.T) {
	in := make(chan interrupt.Interrupt, 1)
	ctx, w := interrupt.Context(t.Context(), in)
	in <- interrupt.Leave
	<-ctx.Done()
	for range 2 { // it may be called again
		if !w.End() {
			t.Error("the interrupt is not reported")
		}
	}
	ctx, w = interrupt.Context(t.Context(), nil)
	if w.End() || ctx.Err() == nil {
		t.Error("the end of a watch is an interrupt, or leaves its context")
	}
}

// TestDriven: any two interrupts end a driven run, first in good order and then at once.
func TestDriven(t *testing.T) {
	in := make(chan interrupt.Interrupt)
	ctx, force, w := interrupt.Driven(t.Context(), in)
	in <- interrupt.Leave
	<-ctx.Done()
	select {
	case <-force:
		t.Error("the first interrupt kills")
	default:
	}
	in <- interrupt.Stop
	<-force
	w.End()
}

// TestFollowed: Stop asks for the run to be cancelled, and then leaves it; Leave leaves it at once.
func TestFollowed(t *testing.T) {
	in := make(chan interrupt.Interrupt)
	ctx, cancel, w := interrupt.Followed(t.Context(), in)
	in <- interrupt.Stop
	<-cancel
	if ctx.Err() != nil {
		t.Error("the first Stop leaves the run")
	}
	in <- interrupt.Stop
	<-ctx.Done()
	if !w.Asked() {
		t.Error("the Stop is not reported")
	}
	ctx, _, w = interrupt.Followed(t.Context(), in)
	in <- interrupt.Leave
	<-ctx.Done()
	if w.Asked() || !w.End() {
		t.Error("Leave is reported as Stop, or not at all")
	}
}
