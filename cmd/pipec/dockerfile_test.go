package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/rogpeppe/go-internal/testscript"

	"pipec.dev/pipec/schema/program"
)

// TestDockerfileScript runs testdata/dockerfile: scripts as those of TestBuildScript, with buildah, and a base that has a shell. The shell
// only keeps its commands. The command content prints a file of an image.
func TestDockerfileScript(t *testing.T) {
	buildah, err := exec.LookPath("buildah")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("buildah is not installed, or its isolation needs root")
	}
	python, err := exec.CommandContext(t.Context(), "python3", "-c", "import pip, sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("there is no python3 with pip")
	}
	bin := t.TempDir() // without docker and podman
	for name, path := range map[string]string{"buildah": buildah, "python3": strings.TrimSpace(string(python))} {
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	p := buildScripts("dockerfile", runtime.GOARCH, keepingShell(t))
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		if err := setup(env); err != nil {
			return err
		}
		for _, pair := range [][2]string{
			{"PATH", env.Getenv("BIN") + string(filepath.ListSeparator) + bin}, {"BUILDKIT_HOST", ""}, {"BUILDAH_ISOLATION", "chroot"},
			{"CONTAINERS_STORAGE_CONF", filepath.Join(env.WorkDir, ".storage.conf")}, {"CONTAINERS_REGISTRIES_CONF", filepath.Join(env.WorkDir, ".registries.conf")},
		} {
			env.Setenv(pair[0], pair[1])
		}
		for file, text := range map[string]string{
			".storage.conf":    fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", filepath.Join(env.WorkDir, ".storage"), filepath.Join(env.WorkDir, ".run")),
			".registries.conf": fmt.Sprintf("[[registry]]\nlocation = %q\ninsecure = true\n", env.Getenv("REGISTRY")),
		} {
			if err := os.WriteFile(filepath.Join(env.WorkDir, file), []byte(text), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	p.Cmds["content"] = content
	testscript.Run(t, p)
}

// keepingShell returns a layer with the program of testdata/sh as /bin/sh.
func keepingShell(t *testing.T) v1.Layer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sh")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, "./testdata/sh")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "bin/sh", Mode: 0o755, Size: int64(len(data))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// content prints a file of the image that the lock has for a block: content IMAGE PATH
func content(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: content IMAGE PATH")
	}
	text, err := contentOf(context.Background(), ts.ReadFile("pipec.lock.json"), args[0], args[1])
	if neg != (err != nil) {
		ts.Fatalf("%s of the image: %v", args[1], err)
	}
	fmt.Fprintln(ts.Stdout(), text)
}

func contentOf(ctx context.Context, lock, block, file string) (string, error) {
	var l program.Lock
	if err := json.Unmarshal([]byte(lock), &l); err != nil {
		return "", err
	}
	for ref, image := range l.Images {
		parsed, err := name.ParseReference(ref)
		if err != nil || !strings.HasSuffix(parsed.Context().Name(), "/"+block) {
			continue
		}
		pulled, err := remote.Image(parsed.Context().Digest(image.Digest), remote.WithContext(ctx))
		if err != nil {
			return "", err
		}
		all := tar.NewReader(mutate.Extract(pulled))
		for {
			h, err := all.Next()
			if err != nil {
				return "", err
			}
			if strings.TrimPrefix(h.Name, "/") == file {
				data, err := io.ReadAll(all)
				return string(data), err
			}
		}
	}
	return "", fmt.Errorf("the lock has no image of %s", block)
}
