package layers_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/image/base"
	"pipec.dev/pipec/runtime/image/layers"
	"pipec.dev/pipec/runtime/image/wheel"
	"pipec.dev/pipec/runtime/image/wheel/wheeltest"
)

func layout() layers.Layout {
	return layers.Layout{Python: base.Python{Version: "3.11.7", Executable: "/usr/local/bin/python3.11"}}
}

func open(t *testing.T, specs ...wheeltest.Wheel) []*wheel.Wheel {
	t.Helper()
	var out []*wheel.Wheel
	for _, spec := range specs {
		data := spec.Bytes()
		w, err := wheel.Open(bytes.NewReader(data), int64(len(data)), spec.Filename())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, w)
	}
	return out
}

func native() wheeltest.Wheel {
	return wheeltest.Wheel{
		Name: "native", Version: "2.0", Tag: "cp311-cp311-manylinux_2_17_x86_64",
		Files: map[string]string{
			"native/__init__.py":             "",
			"native/core.so":                 strings.Repeat("0123456789abcdef\n", 10_000),
			"native/" + longName() + ".json": "{}",
			"native-2.0.data/scripts/tool":   "#!python -E\r\nprint(1)\n",
			"native-2.0.data/scripts/other":  "#!/bin/sh\n",
			"native-2.0.data/headers/core.h": "int x;\n",
			"native-2.0.data/data/share/x":   "x\n",
		},
		Executable:  []string{"native-2.0.data/scripts/other", "native-2.0.data/scripts/tool"},
		EntryPoints: "[console_scripts]\nnative = native.cli:app.run\n",
	}
}

func longName() string { return strings.Repeat("long_", 40) }

// read returns the entries of a layer, as MODE NAME, with their contents.
func read(t *testing.T, layer []byte, sums layers.Sums) (order []string, contents map[string]string) {
	t.Helper()
	packed := sha256.Sum256(layer)
	z, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	diff := sha256.Sum256(plain)
	if sums.Digest != "sha256:"+hex.EncodeToString(packed[:]) || sums.DiffID != "sha256:"+hex.EncodeToString(diff[:]) || sums.Size != int64(len(layer)) {
		t.Errorf("%+v", sums)
	}
	contents = map[string]string{}
	r := tar.NewReader(bytes.NewReader(plain))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return order, contents
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 0 || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%+v", h)
		}
		order = append(order, h.FileInfo().Mode().String()+" "+h.Name)
		contents[h.Name] = string(content) + h.Linkname
	}
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	sums, clashes, err := layers.Write(t.Context(), &b, layout(), true, open(t, native()))
	if err != nil || len(clashes) > 0 {
		t.Fatal(err, clashes)
	}
	order, contents := read(t, b.Bytes(), sums)
	want := []string{
		"drwxr-xr-x opt/venv/",
		"drwxr-xr-x opt/venv/bin/",
		"-rwxr-xr-x opt/venv/bin/native",
		"-rwxr-xr-x opt/venv/bin/other",
		"Lrwxrwxrwx opt/venv/bin/python",
		"Lrwxrwxrwx opt/venv/bin/python3",
		"Lrwxrwxrwx opt/venv/bin/python3.11",
		"-rwxr-xr-x opt/venv/bin/tool",
		"drwxr-xr-x opt/venv/include/",
		"drwxr-xr-x opt/venv/include/site/",
		"drwxr-xr-x opt/venv/include/site/python3.11/",
		"drwxr-xr-x opt/venv/include/site/python3.11/native/",
		"-rw-r--r-- opt/venv/include/site/python3.11/native/core.h",
		"drwxr-xr-x opt/venv/lib/",
		"drwxr-xr-x opt/venv/lib/python3.11/",
		"drwxr-xr-x opt/venv/lib/python3.11/site-packages/",
		"drwxr-xr-x opt/venv/lib/python3.11/site-packages/native-2.0.dist-info/",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native-2.0.dist-info/INSTALLER",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native-2.0.dist-info/METADATA",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native-2.0.dist-info/RECORD",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native-2.0.dist-info/WHEEL",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native-2.0.dist-info/entry_points.txt",
		"drwxr-xr-x opt/venv/lib/python3.11/site-packages/native/",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native/__init__.py",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native/core.so",
		"-rw-r--r-- opt/venv/lib/python3.11/site-packages/native/" + longName() + ".json",
		"-rw-r--r-- opt/venv/pyvenv.cfg",
		"drwxr-xr-x opt/venv/share/",
		"-rw-r--r-- opt/venv/share/x",
	}
	if !slices.Equal(order, want) {
		t.Errorf("%s", strings.Join(order, "\n"))
	}
	for name, want := range map[string]string{
		"opt/venv/bin/python":       "/usr/local/bin/python3.11",
		"opt/venv/bin/tool":         "#!/opt/venv/bin/python\nprint(1)\n",
		"opt/venv/bin/other":        "#!/bin/sh\n",
		"opt/venv/pyvenv.cfg":       "home = /usr/local/bin\ninclude-system-site-packages = true\nversion = 3.11.7\nexecutable = /usr/local/bin/python3.11\n",
		"opt/venv/bin/native":       "#!/opt/venv/bin/python\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom native.cli import app\nif __name__ == '__main__':\n    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    sys.exit(app.run())\n",
		strings.Fields(want[24])[1]: native().Files["native/core.so"],
	} {
		if contents[name] != want {
			t.Errorf("%s: %.300q", name, contents[name])
		}
	}
	rows := contents["opt/venv/lib/python3.11/site-packages/native-2.0.dist-info/RECORD"]
	for _, row := range []string{"../../../bin/native,sha256=", "../../../share/x,sha256=", "native-2.0.dist-info/RECORD,,\n", "native-2.0.dist-info/INSTALLER,sha256=", "native/core.so,sha256="} {
		if !strings.Contains(rows, row) {
			t.Errorf("RECORD lacks %q:\n%s", row, rows)
		}
	}
	if n := strings.Count(rows, "\n"); n != 13 {
		t.Errorf("RECORD has %d rows", n)
	}
}

// TestDigest: the digest of a layer must not change between versions of pipec without a reason, because locks refer to
// images by digest. If the change is intended, all images are built and pushed again.
func TestDigest(t *testing.T) {
	sums, _, err := layers.Write(t.Context(), io.Discard, layout(), true, open(t, native()))
	if err != nil {
		t.Fatal(err)
	}
	const (
		diff   = "sha256:b91aab5e84ee9f1e27650159cc2cc2a1053aa0606c192b74875125758c232de2"
		digest = "sha256:672020db140807a543f0b1ca2b83856d4fbbed98564c9ea89041327ace4f3491"
	)
	if sums.DiffID != diff || sums.Digest != digest {
		t.Errorf("%+v", sums)
	}
}

func TestClash(t *testing.T) {
	a := wheeltest.Wheel{Name: "a", Version: "1", Files: map[string]string{"tests/__init__.py": "", "tests/x.py": "a", "big": strings.Repeat("x", 100_000)}}
	b := wheeltest.Wheel{Name: "b", Version: "1", Files: map[string]string{"tests/__init__.py": "", "tests/x.py": "b"}}
	var out bytes.Buffer
	sums, clashes, err := layers.Write(t.Context(), &out, layout(), false, open(t, a, b))
	if err != nil {
		t.Fatal(err)
	}
	if len(clashes) != 1 || clashes[0] != (layers.Clash{Path: "/opt/venv/lib/python3.11/site-packages/tests/x.py", First: "a", Then: "b"}) {
		t.Errorf("%+v", clashes)
	}
	_, contents := read(t, out.Bytes(), sums)
	if contents["opt/venv/lib/python3.11/site-packages/tests/x.py"] != "b" {
		t.Errorf("%v", contents)
	}
	c := wheeltest.Wheel{Name: "c", Version: "1", Files: map[string]string{"tests": "a file"}}
	if _, _, err := layers.Write(t.Context(), io.Discard, layout(), false, open(t, a, c)); err == nil || !strings.Contains(err.Error(), "is a file of c, and a directory of a") {
		t.Error(err)
	}
}

func TestReserved(t *testing.T) {
	for _, spec := range []wheeltest.Wheel{
		{Name: "a", Version: "1", Files: map[string]string{"a-1.data/scripts/python": "x"}},
		{Name: "a", Version: "1", Files: map[string]string{"a-1.data/data/bin/python3": "x"}},
		{Name: "a", Version: "1", Files: map[string]string{"a-1.data/data/pyvenv.cfg": "x"}},
		{Name: "a", Version: "1", Files: map[string]string{"a-1.data/data/pyvenv.cfg/x": "x"}},
		{Name: "a", Version: "1", EntryPoints: "[console_scripts]\npython3.11 = a:b\n"},
	} {
		if _, _, err := layers.Write(t.Context(), io.Discard, layout(), false, open(t, spec)); err == nil || !strings.Contains(err.Error(), "would replace /opt/venv/") {
			t.Errorf("%+v: %v", spec, err)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, _, err := layers.Write(ctx, io.Discard, layout(), false, open(t, native())); err == nil || err.Error() != "enough" {
		t.Error(err)
	}
}

// failing is a full disk.
type failing struct{ left int }

var errFull = errors.New("no space left on device")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	var whole bytes.Buffer
	if _, _, err := layers.Write(t.Context(), &whole, layout(), true, open(t, native())); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < whole.Len(); at += 97 {
		if _, _, err := layers.Write(t.Context(), &failing{at}, layout(), true, open(t, native())); !errors.Is(err, errFull) {
			t.Fatalf("after %d bytes: %v", at, err)
		}
	}
}
