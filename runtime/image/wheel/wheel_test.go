package wheel_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"compress/flate"

	"pipec.dev/pipec/runtime/image/wheel"
	"pipec.dev/pipec/runtime/image/wheel/wheeltest"
)

func open(w wheeltest.Wheel) (*wheel.Wheel, error) {
	data := w.Bytes()
	return wheel.Open(bytes.NewReader(data), int64(len(data)), w.Filename())
}

// readAll copies each file, in both ways.
func readAll(w *wheel.Wheel) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range w.Files {
		var b bytes.Buffer
		if err := f.Copy(&b); err != nil {
			return nil, err
		}
		out[string(f.Scheme)+" "+f.Path] = b.String()
		if !f.Deflated() {
			continue
		}
		var raw bytes.Buffer
		if _, err := f.CopyDeflated(&raw, io.Discard); err != nil {
			return nil, err
		}
		again, err := io.ReadAll(flate.NewReader(&raw))
		if err != nil || !bytes.Equal(again, b.Bytes()) {
			return nil, errors.New("the deflate stream differs")
		}
	}
	return out, nil
}

func sample() wheeltest.Wheel {
	return wheeltest.Wheel{
		Name: "My-Pkg", Version: "1.0.post1", Tag: "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
		Files: map[string]string{
			"my_pkg/__init__.py":                         "x = 1\n",
			"my_pkg/größe, \"a\".txt":                    "ü\n",
			"my_pkg/native.so":                           strings.Repeat("\x7fELF", 1000),
			"My_Pkg-1.0.post1.data/scripts/run":          "#!python\nprint(1)\n",
			"My_Pkg-1.0.post1.data/purelib/extra.py":     "y = 2\n",
			"My_Pkg-1.0.post1.data/headers/my.h":         "int x;\n",
			"My_Pkg-1.0.post1.data/data/share/man/run.1": "run\n",
		},
		Executable:  []string{"my_pkg/native.so"},
		EntryPoints: "# commands\n[console_scripts]\nmy-run = my_pkg.cli:main\nother=my_pkg:app.run [extra]\n\n[other.plugins]\nx = not a command\n[gui_scripts]\nwin = my_pkg:win\n",
	}
}

func TestOpen(t *testing.T) {
	w, err := open(sample())
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(w)
	if err != nil {
		t.Fatal(err)
	}
	for at, content := range map[string]string{
		"platlib my_pkg/__init__.py":      "x = 1\n",
		"platlib my_pkg/größe, \"a\".txt": "ü\n",
		"scripts run":                     "#!python\nprint(1)\n",
		"purelib extra.py":                "y = 2\n",
		"headers my.h":                    "int x;\n",
		"data share/man/run.1":            "run\n",
	} {
		if got[at] != content {
			t.Errorf("%s: %q", at, got[at])
		}
	}
	if len(got) != 10 { // 7 files, METADATA, WHEEL, entry_points.txt
		t.Errorf("%d files", len(got))
	}
	if w.Name != "My-Pkg" || w.Version != "1.0.post1" || w.DistInfo != "My_Pkg-1.0.post1.dist-info" {
		t.Errorf("%+v", w)
	}
	want := []wheel.EntryPoint{{"my-run", "my_pkg.cli", "main"}, {"other", "my_pkg", "app.run"}, {"win", "my_pkg", "win"}}
	if len(w.EntryPoints) != 3 || w.EntryPoints[0] != want[0] || w.EntryPoints[1] != want[1] || w.EntryPoints[2] != want[2] {
		t.Errorf("%+v", w.EntryPoints)
	}
	for _, f := range w.Files {
		if f.Executable != (f.Path == "my_pkg/native.so") {
			t.Errorf("%s: executable %v", f.Path, f.Executable)
		}
	}
}

// add returns an edit that adds entries which RECORD lists too.
func add(entries ...wheeltest.Entry) func([]wheeltest.Entry) []wheeltest.Entry {
	return func(all []wheeltest.Entry) []wheeltest.Entry {
		all = append(all[:len(all)-1:len(all)-1], entries...)
		info, _, _ := strings.Cut(all[1].Name, "/")
		return append(all, wheeltest.Entry{Name: info + "/RECORD", Content: wheeltest.Record(all, info+"/"), Mode: 0o644})
	}
}

// record returns an edit of RECORD's text.
func record(edit func(string) string) func([]wheeltest.Entry) []wheeltest.Entry {
	return func(all []wheeltest.Entry) []wheeltest.Entry {
		all[len(all)-1].Content = edit(all[len(all)-1].Content)
		return all
	}
}

func TestHostile(t *testing.T) {
	file := func(name string) wheeltest.Entry {
		return wheeltest.Entry{Name: name, Content: "x", Mode: 0o644}
	}
	for name, c := range map[string]struct {
		edit func([]wheeltest.Entry) []wheeltest.Entry
		want string
	}{
		"leaves":            {add(file("../evil.py")), "leaves the directory"},
		"leaves inside":     {add(file("p/../../evil.py")), "leaves the directory"},
		"absolute":          {add(file("/etc/passwd")), "is an absolute path"},
		"drive":             {add(file("C:/evil")), "is an absolute path"},
		"backslash":         {add(file(`..\evil.py`)), "is not allowed in a path"},
		"dot":               {add(file("p/./a.py")), "is not a plain path"},
		"empty part":        {add(file("p//a.py")), "is not a plain path"},
		"control character": {add(file("p/a\x1b[2J.py")), "is not allowed in a path"},
		"direction":         {add(file("p/a\u202eyp.exe")), "is not allowed in a path"},
		"not UTF-8":         {add(file("p/a\xff.py")), "not UTF-8"},
		"long name":         {add(file(strings.Repeat("a/", 600) + "x")), "too long"},
		"long part":         {add(file("p/" + strings.Repeat("a", 300))), "not a plain path"},
		"twice":             {add(file("p/a.py"), file("p/a.py")), "appears twice"},
		"two forms":         {add(file("p/e\u0301.py"), file("p/\u00e9.py")), "appears twice"},
		"file and dir":      {add(file("p/__init__.py/a")), "also the directory of"},
		"symbolic link":     {add(wheeltest.Entry{Name: "p/link", Content: "/etc/passwd", Mode: fs.ModeSymlink | 0o777}), "symbolic link"},
		"device":            {add(wheeltest.Entry{Name: "p/dev", Content: "x", Mode: fs.ModeDevice | 0o644}), "not a regular file"},
		"encrypted":         {add(wheeltest.Entry{Name: "p/secret", Content: "x", Header: func(h *zip.FileHeader) { h.Flags |= 1 }}), "is encrypted"},
		"scheme":            {add(file("p-1.0.data/config/x")), "expected purelib, platlib"},
		"no scheme":         {add(file("p-1.0.data/x")), "expected purelib, platlib"},
		"script directory":  {add(file("p-1.0.data/scripts/a/b")), "not a file that can be installed"},
		"same place":        {add(file("p-1.0.data/platlib/p/__init__.py")), "same place"},
		"own RECORD":        {add(file("p-1.0.data/purelib/p-1.0.dist-info/RECORD")), "same place"},
		"two dist-infos":    {add(file("q-1.0.dist-info/METADATA")), "2 directories .dist-info"},
		"case of dist-info": {add(file("P-1.0.dist-info/METADATA")), "2 directories .dist-info"},
		"record lacks":      {func(all []wheeltest.Entry) []wheeltest.Entry { return append(all, file("p/hidden.py")) }, "is not in RECORD"},
		"record has more":   {record(func(s string) string { return "p/ghost.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n" + s }), "not in the wheel"},
		"record lies":       {record(func(s string) string { return strings.Replace(s, "sha256=", "sha256=A", 1) }), "invalid hash"},
		"record size":       {record(func(s string) string { return strings.Replace(s, ",6\n", ",7\n", 1) }), "but RECORD says"},
		"record md5":        {record(func(s string) string { return strings.Replace(s, "sha256=", "md5=", 1) }), "expected sha256"},
		"record no hash":    {record(func(s string) string { return "p/__init__.py,,\n" + s[strings.Index(s, "\n")+1:] }), "has no hash"},
		"record twice":      {record(func(s string) string { return s[:strings.Index(s, "\n")+1] + s }), "is twice in RECORD"},
		"record garbage":    {record(func(string) string { return "\"a" }), "is not PATH,HASH,SIZE"},
		"no record":         {func(all []wheeltest.Entry) []wheeltest.Entry { return all[:len(all)-1] }, "is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(wheeltest.Wheel{Name: "p", Version: "1.0", Files: map[string]string{"p/__init__.py": "x = 1\n"}, Edit: c.edit})
			var fault *wheel.Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("expected %q, found %v", c.want, err)
			}
		})
	}
}

// TestContentLies changes a content after RECORD was computed.
func TestContentLies(t *testing.T) {
	for name, c := range map[string]struct {
		edit func([]wheeltest.Entry) []wheeltest.Entry
		want string
	}{
		"other content": {func(all []wheeltest.Entry) []wheeltest.Entry { all[0].Content = "x = 2\n"; return all }, "differs from its hash in RECORD"},
		"stored": {func(all []wheeltest.Entry) []wheeltest.Entry {
			all[0].Content, all[0].Store = "x = 2\n", true
			return all
		}, "differs from its hash in RECORD"},
	} {
		w, err := open(wheeltest.Wheel{Name: "p", Version: "1.0", Files: map[string]string{"p/__init__.py": "x = 1\n"}, Edit: c.edit})
		if err == nil {
			_, err = readAll(w)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bomb returns a wheel with an entry whose header claims a size, for a content of many zeros.
func bomb(zeros []byte, claim uint64) ([]byte, string) {
	w := wheeltest.Wheel{Name: "p", Version: "1.0", Files: map[string]string{"p/__init__.py": ""}}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	in, _ := zip.NewReader(bytes.NewReader(w.Bytes()), int64(len(w.Bytes())))
	for _, e := range in.File {
		if e.Name != "p/__init__.py" {
			_ = out.Copy(e)
			continue
		}
		entry, _ := out.CreateRaw(&zip.FileHeader{Name: e.Name, Method: zip.Deflate, UncompressedSize64: claim, CompressedSize64: uint64(len(zeros))})
		_, _ = entry.Write(zeros)
	}
	_ = out.Close()
	return b.Bytes(), w.Filename()
}

func TestBombs(t *testing.T) {
	var z bytes.Buffer
	f, _ := flate.NewWriter(&z, flate.BestSpeed)
	_, _ = f.Write(make([]byte, 70<<20))
	_ = f.Close()
	data, name := bomb(z.Bytes(), 70<<20)
	if _, err := wheel.Open(bytes.NewReader(data), int64(len(data)), name); err == nil || !strings.Contains(err.Error(), "not plausible") {
		t.Errorf("a bomb that does not lie: %v", err)
	}
	data, name = bomb(z.Bytes(), 0)
	w, err := wheel.Open(bytes.NewReader(data), int64(len(data)), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(w); err == nil || !strings.Contains(err.Error(), "longer than the 0 bytes") {
		t.Errorf("a bomb that lies: %v", err)
	}
}

// TestOverlap: two entries with the same bytes.
func TestOverlap(t *testing.T) {
	w := wheeltest.Wheel{Name: "p", Version: "1.0", Files: map[string]string{"p/aaa.py": strings.Repeat("ab", 500), "p/bbb.py": strings.Repeat("ab", 500)}}
	data := w.Bytes()
	// The directory entry of the second file is pointed to the first one's header.
	at := bytes.LastIndex(data, []byte("p/bbb.py"))
	copy(data[at-4:at], []byte{0, 0, 0, 0})
	if _, err := wheel.Open(bytes.NewReader(data), int64(len(data)), w.Filename()); err == nil || !strings.Contains(err.Error(), "shares its bytes") {
		t.Error(err)
	}
}

func TestFilename(t *testing.T) {
	f, err := wheel.ParseFilename("a.b_c-1.0+local.1-2x-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
	if err != nil || f.Name != "a.b_c" || f.Version != "1.0+local.1" || f.Build != "2x" || len(f.Python) != 2 || f.ABI[0] != "abi3" || len(f.Platforms) != 2 {
		t.Errorf("%+v, %v", f, err)
	}
	for _, bad := range []string{"", "a.whl", "a-1.0.tar.gz", "a-1-b-py3-none-any.whl", "a-1--none-any.whl", "../a-1-py3-none-any.whl", "a-1-2-3-py3-none-any.whl", strings.Repeat("a", 300) + "-1-py3-none-any.whl"} {
		if _, err := wheel.ParseFilename(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for in, want := range map[string]string{"My_Pkg": "my-pkg", "a.b__c-.d": "a-b-c-d", "x": "x"} {
		if got := wheel.NormalName(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestMetadataOfAnother(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"version":    {"\nVersion: 1.0", "\nVersion: 2.0", "of another project or version"},
		"name":       {"Name: p", "Name: q", "of another project or version"},
		"format":     {"Wheel-Version: 1.0", "Wheel-Version: 2.0", "expected 1.0"},
		"pure":       {"Root-Is-Purelib: true", "Root-Is-Purelib: maybe", "expected true or false"},
		"tag":        {"Tag: py3-none-any", "Tag: py2-none-any", "does not have the tag py3-none-any"},
		"not fields": {"Metadata-Version: 2.1\n", "nonsense\n", "a line without a colon"},
	} {
		edit := func(all []wheeltest.Entry) []wheeltest.Entry {
			for i := range all {
				all[i].Content = strings.Replace(all[i].Content, c.old, c.new, 1)
			}
			return add()(all)
		}
		_, err := open(wheeltest.Wheel{Name: "p", Version: "1.0", Files: map[string]string{"p/__init__.py": ""}, Edit: edit})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"x = a", "x = a:b:c", "../x = a:b", "x/y = a:b", " = a:b", "x = a:b; import os", "x = a:b\nx = a:c"} {
		_, err := open(wheeltest.Wheel{Name: "p", Version: "1.0", EntryPoints: "[console_scripts]\n" + bad + "\n"})
		if err == nil || !strings.Contains(err.Error(), "invalid command") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// FuzzOpen: no input makes the reader panic, or place a file outside of its directory.
func FuzzOpen(f *testing.F) {
	f.Add(sample().Bytes())
	f.Add(wheeltest.Wheel{Name: "My-Pkg", Version: "1.0.post1", Tag: sample().Tag, Edit: add(wheeltest.Entry{Name: "../x", Content: "x"})}.Bytes())
	f.Add([]byte("PK"))
	name := sample().Filename()
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := wheel.Open(bytes.NewReader(data), int64(len(data)), name)
		if err != nil {
			return
		}
		for _, file := range w.Files {
			if !fs.ValidPath(file.Path) || strings.ContainsAny(file.Path, "\\\x00") {
				t.Errorf("%q is installed", file.Path)
			}
		}
		_, _ = readAll(w)
	})
}
