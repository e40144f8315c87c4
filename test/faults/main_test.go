package faults

import (
	"os"
	"testing"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }
