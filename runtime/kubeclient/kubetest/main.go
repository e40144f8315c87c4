package kubetest

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/runtime"
)

// Main runs the tests of a package that use an API in testing/synctest bubbles. Apimachinery limits how often errors are
// handled by a clock of the whole process, and a goroutine in a bubble with another clock would sleep there for years.
func Main(m *testing.M) int {
	runtime.ErrorHandlers = nil
	return m.Run()
}
