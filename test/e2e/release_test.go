package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/rogpeppe/go-internal/testscript"
)

// unpack makes a release of the programs in bin, and unpacks its archive for this machine: unpack DIR
func unpack(ts *testscript.TestScript, bin string, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unpack DIR")
	}
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	ts.Check(err)
	out, dir, platform := ts.MkAbs(".release"), ts.MkAbs(args[0]), "linux-"+runtime.GOARCH
	image := filepath.Join(out, "pipec-agent.oci")
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.MkdirAll(out, 0o755))
	for _, command := range [][]string{
		{"go", "run", "./internal/agentimage", "-out", image, "-version", "v1", filepath.Join(bin, "pipec-agent")},
		{"go", "run", "./internal/release", "-out", out, "-version", "v1", "-image", image, platform + "=" + filepath.Join(bin, "pipec")},
		{"tar", "-xzf", filepath.Join(out, "pipec-v1-"+platform+".tar.gz"), "--strip-components=1", "-C", dir},
	} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = repository
		if text, err := cmd.CombinedOutput(); err != nil {
			ts.Fatalf("%v: %v\n%s", command, err, text)
		}
	}
	sums := exec.Command("sha256sum", "--check", "SHA256SUMS")
	sums.Dir = out
	if text, err := sums.CombinedOutput(); err != nil {
		ts.Fatalf("the checksums: %v\n%s", err, text)
	}
	ts.Check(os.RemoveAll(out))
}
