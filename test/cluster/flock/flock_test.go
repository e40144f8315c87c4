package flock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Take(t.Context(), path, func() { t.Error("the first waits") })
	if err != nil {
		t.Fatal(err)
	}
	waits, second := make(chan bool, 1), make(chan error, 1)
	go func() {
		release, err := Take(t.Context(), path, func() { waits <- true })
		if err == nil {
			release()
		}
		second <- err
	}()
	<-waits
	select {
	case err := <-second:
		t.Fatalf("the second has it too: %v", err)
	default:
	}
	release()
	if err := <-second; err != nil {
		t.Fatal(err)
	}
}

func TestWaitingEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Take(t.Context(), path, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Take(ctx, path, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
}

func TestNoPlace(t *testing.T) {
	if _, err := Take(t.Context(), filepath.Join(t.TempDir(), "no", "lock"), func() {}); err == nil {
		t.Error("a lock in a directory that is not there")
	}
}
