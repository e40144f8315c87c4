//go:build !race

package real

// few is how many cells run in make test.
const few = 60
