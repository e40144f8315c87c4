package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// project makes the files of a release in a new directory, which becomes the working directory.
func project(t *testing.T, mode os.FileMode, at time.Time) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{
		"LICENSE": "license", "README.md": "readme", "amd64": "pipec for amd64", "arm64": "pipec for arm64",
		"image/oci-layout": "{}", "image/blobs/sha256/00": "agent",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// list returns the files of an archive with their modes and contents.
func list(t *testing.T, data []byte) []string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %o %s", h.Name, h.Mode, content))
	}
}

// TestRelease: the archives have the layout of an installation, and don't depend on the modes and times of the files.
func TestRelease(t *testing.T) {
	write := func() map[string][]byte {
		r := release{out: "out", version: "v1", image: "image"}
		if err := r.write([]string{"linux-arm64=arm64", "linux-amd64=amd64"}); err != nil {
			t.Fatal(err)
		}
		out := map[string][]byte{}
		entries, err := os.ReadDir("out")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if out[e.Name()], err = os.ReadFile(filepath.Join("out", e.Name())); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	project(t, 0o600, time.Unix(1, 0))
	first := write()
	project(t, 0o755, time.Unix(2_000_000_000, 0))
	second := write()
	if len(first) != 3 {
		t.Errorf("expected two archives and their checksums, found %d files", len(first))
	}
	for name := range first {
		if !bytes.Equal(first[name], second[name]) {
			t.Errorf("%s depends on the modes or times of files", name)
		}
	}
	want := []string{
		"pipec-v1-linux-arm64/LICENSE 644 license", "pipec-v1-linux-arm64/README.md 644 readme", "pipec-v1-linux-arm64/bin/pipec 755 pipec for arm64",
		"pipec-v1-linux-arm64/libexec/pipec/pipec-agent.oci/blobs/sha256/00 644 agent", "pipec-v1-linux-arm64/libexec/pipec/pipec-agent.oci/oci-layout 644 {}",
	}
	if got := list(t, first["pipec-v1-linux-arm64.tar.gz"]); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if sums := string(first[checksums]); strings.Count(sums, "\n") != 2 || !strings.Contains(sums, "  pipec-v1-linux-amd64.tar.gz\n") {
		t.Errorf("%s", sums)
	}
}

func TestRefused(t *testing.T) {
	project(t, 0o644, time.Unix(1, 0))
	if err := os.Symlink("LICENSE", "image/link"); err != nil {
		t.Fatal(err)
	}
	whole := release{out: "out", version: "v1", image: "image"}
	for name, c := range map[string]struct {
		change    func(*release)
		platforms []string
	}{
		"no platform":                 {func(*release) {}, nil},
		"a platform without a path":   {func(*release) {}, []string{"linux-amd64"}},
		"no version":                  {func(r *release) { r.version = "" }, []string{"linux-amd64=amd64"}},
		"a version that is a path":    {func(r *release) { r.version = "a/b" }, []string{"linux-amd64=amd64"}},
		"an image with a link":        {func(*release) {}, []string{"linux-amd64=amd64"}},
		"an image that isn't there":   {func(r *release) { r.image = "none" }, []string{"linux-amd64=amd64"}},
		"a program that isn't there":  {func(r *release) { r.image = "image/blobs" }, []string{"linux-amd64=none"}},
		"a program that is no file":   {func(r *release) { r.image = "image/blobs" }, []string{"linux-amd64=image"}},
		"a directory that is a file":  {func(r *release) { r.out, r.image = "LICENSE", "image/blobs" }, []string{"linux-amd64=amd64"}},
		"a platform that is too long": {func(r *release) { r.image = "image/blobs" }, []string{strings.Repeat("x", 300) + "=amd64"}},
	} {
		r := whole
		c.change(&r)
		if err := r.write(c.platforms); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
