//go:build race

package faults

// raced says that the race detector runs, which makes a simulation ten times as slow.
const raced = true
