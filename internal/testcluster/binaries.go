package testcluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var built struct {
	once sync.Once
	dir  string
	err  error
}

// Binaries builds pipec and pipec-agent, as in a release, into one directory, once for all tests of a package. The
// package's TestMain must call Main.
func Binaries(t testing.TB) string {
	t.Helper()
	built.once.Do(func() { built.dir, built.err = build() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

func build() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "pipec-binaries-"); err != nil {
		return "", err
	}
	for _, name := range []string{"pipec", "pipec-agent"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=e2e", "-o", filepath.Join(dir, name), "pipec.dev/pipec/cmd/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("%s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
}

// Main runs the tests, removes what Binaries has built, and exits.
func Main(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}
