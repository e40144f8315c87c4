package storetest

import (
	"testing"

	"pipec.dev/pipec/runtime/store"
)

// TestMemory holds the store in memory to what holds for every store.
func TestMemory(t *testing.T) {
	Contract(t, func(testing.TB) store.Store { return &Memory{} })
}
