package base_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"pipec.dev/pipec/runtime/image/base"
)

// layer makes a layer of lines: "PATH", "PATH -> TARGET", or "PATH = CONTENT".
func layer(t *testing.T, lines ...string) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, line := range lines {
		name, content, _ := strings.Cut(line, " = ")
		name, target, link := strings.Cut(name, " -> ")
		h := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if link {
			h.Typeflag, h.Linkname = tar.TypeSymlink, target
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func inspect(t *testing.T, env []string, layers ...v1.Layer) (*base.Base, error) {
	t.Helper()
	image, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config.Env = "linux", "amd64", env
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return base.Inspect(t.Context(), image)
}

const glibc = "usr/lib/x86_64-linux-gnu/libc.so.6 = GNU C Library (Debian GLIBC 2.36-9+deb12u4) stable release version 2.36.\n"

func TestPython(t *testing.T) {
	for name, c := range map[string]struct {
		env    []string
		layers [][]string
		want   base.Python
		libc   base.Libc
		fault  string
	}{
		"official": {
			env:    []string{"PATH=/usr/local/bin:/usr/bin", "PYTHON_VERSION=3.11.7"},
			layers: [][]string{{"lib -> usr/lib", glibc}, {"usr/local/bin/python3 -> python3.11", "usr/local/bin/python3.11 = ELF", "usr/local/lib/python3.11/os.py = x"}},
			want:   base.Python{Version: "3.11.7", Executable: "/usr/local/bin/python3.11"}, libc: base.Libc{Name: "glibc", Major: 2, Minor: 36},
		},
		"debian": {
			layers: [][]string{{"bin -> usr/bin", "usr/bin/python3 -> /bin/../bin/python3.11", "usr/bin/python3.11 = ELF", "usr/lib/python3.11/os.py = x", "usr/include/python3.11/patchlevel.h = #define PY_VERSION      \"3.11.2\"\n"}},
			want:   base.Python{Version: "3.11.2", Executable: "/usr/bin/python3.11"},
		},
		"alpine": {
			layers: [][]string{{"lib/ld-musl-x86_64.so.1 = a\x001.2.4\x00b", "usr/bin/python3 = ELF", "usr/lib/python3.12/os.py = x"}},
			want:   base.Python{Version: "3.12.0", Executable: "/usr/bin/python3"}, libc: base.Libc{Name: "musl", Major: 1, Minor: 2},
		},
		"free threads": {
			layers: [][]string{{"usr/bin/python3 -> python3.13t", "usr/bin/python3.13t = ELF", "usr/lib/python3.13t/os.py = x"}},
			want:   base.Python{Version: "3.13.0", Executable: "/usr/bin/python3.13t", Threaded: true},
		},
		"no python":      {layers: [][]string{{"bin/sh = ELF"}}, fault: "has no python3 on its PATH"},
		"not on PATH":    {env: []string{"PATH=/bin"}, layers: [][]string{{"usr/local/bin/python3.11 = ELF"}}, fault: "has no python3 on its PATH (/bin)"},
		"removed":        {layers: [][]string{{"usr/bin/python3 = ELF", "usr/lib/python3.12/os.py = x"}, {"usr/bin/.wh.python3"}}, fault: "has no python3"},
		"opaque":         {layers: [][]string{{"usr/bin/python3 = ELF", "usr/lib/python3.12/os.py = x"}, {"usr/bin/.wh..wh..opq", "usr/bin/sh = ELF"}}, fault: "has no python3"},
		"replaced":       {layers: [][]string{{"usr/bin/python3 = ELF", "usr/lib/python3.12/os.py = x"}, {"usr/.wh.bin", "usr/bin/python3 = ELF"}}, want: base.Python{Version: "3.12.0", Executable: "/usr/bin/python3"}},
		"loop":           {layers: [][]string{{"usr/bin/python3 -> python3"}}, fault: "has no python3"},
		"dangling":       {layers: [][]string{{"usr/bin/python3 -> python3.11"}}, fault: "has no python3"},
		"no library":     {layers: [][]string{{"usr/bin/python3 -> python3.11", "usr/bin/python3.11 = ELF"}}, fault: "no standard library in /usr/lib/python3.11"},
		"two versions":   {layers: [][]string{{"usr/bin/python3 = ELF", "usr/lib/python3.11/os.py = x", "usr/lib/python3.12/os.py = x"}}, fault: "has 2 possible versions"},
		"PyPy":           {layers: [][]string{{"usr/bin/python3 -> pypy3.10", "usr/bin/pypy3.10 = ELF"}}, fault: "is PyPy"},
		"in environment": {env: []string{"PATH=/venv/bin:/usr/bin"}, layers: [][]string{{"venv/bin/python3 -> /usr/bin/python3.12", "venv/pyvenv.cfg = x", "usr/bin/python3.12 = ELF", "usr/lib/python3.12/os.py = x"}}, fault: "virtual environment /venv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var layers []v1.Layer
			for _, l := range c.layers {
				layers = append(layers, layer(t, l...))
			}
			got, err := inspect(t, c.env, layers...)
			var fault *base.Error
			switch {
			case c.fault != "":
				if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("expected %q, found %v", c.fault, err)
				}
			case err != nil:
				t.Error(err)
			case got.Python != c.want || got.Libc != c.libc || got.Platform != "linux/amd64":
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestLibraries(t *testing.T) {
	got, err := inspect(t, nil, layer(t, "usr/bin/python3 = ELF", "usr/lib/python3.12/os.py = x", "lib/libz.so.1 -> libz.so.1.2", "lib/libz.so.1.2 = x", "lib/libm.so = x", "a/x.sort = x", "a/.so = x"))
	if err != nil || !slices.Equal(got.Libraries, []string{"libm.so", "libz.so.1", "libz.so.1.2"}) {
		t.Errorf("%v, %v", got, err)
	}
}
