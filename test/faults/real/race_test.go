//go:build race

package real

// few is how many cells run in make test: the race detector makes them much slower.
const few = 20
