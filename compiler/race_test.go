//go:build race

package compiler_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets each property be checked 10 times, because the race detector makes the checks several times as slow, and they
// are sequential. Without it, they are checked as often as -rapid.checks says, 100 times by default.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "10"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
