package resolve_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/image/base"
	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/packaging"
	"pipec.dev/pipec/runtime/image/resolve"
	"pipec.dev/pipec/runtime/image/wheel/wheeltest"
)

func target() packaging.Target {
	return packaging.Target{Platform: "linux/amd64", Python: base.Python{Version: "3.11.7"}, Libc: base.Libc{Name: "glibc", Major: 2, Minor: 36}}
}

// site is a project, and an index with wheels.
type site struct {
	dir, url string
	sums     map[string]string // by file name
}

func wheels() []wheeltest.Wheel {
	return []wheeltest.Wheel{
		{Name: "app", Version: "1.0", Requires: []string{"native>=1", `arm-only; platform_machine == "aarch64"`, `old; python_version < "3.11"`, `New_Python; python_version >= "3.11"`}},
		{Name: "native", Version: "1.0", Tag: "cp311-cp311-manylinux_2_17_x86_64"},
		{Name: "native", Version: "2.0", Tag: "cp311-cp311-manylinux_2_17_x86_64"},
		{Name: "native", Version: "2.0", Tag: "cp311-cp311-manylinux_2_28_x86_64"},
		{Name: "native", Version: "2.0", Tag: "cp311-cp311-manylinux_2_99_x86_64"},
		{Name: "native", Version: "2.0", Tag: "cp311-cp311-macosx_11_0_arm64"},
		{Name: "native", Version: "2.0", Tag: "cp39-abi3-manylinux_2_17_x86_64"},
		{Name: "new-python", Version: "1.0"},
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), sums: map[string]string{}}
	pages := map[string]string{"source-only": `<a href="/files/source_only-1.0.tar.gz#sha256=00">x</a>`}
	files := map[string][]byte{}
	for _, w := range wheels() {
		data := w.Bytes()
		sum := sha256.Sum256(data)
		s.sums[w.Filename()] = hex.EncodeToString(sum[:])
		files[w.Filename()] = data
		pages[w.Name] += `<a href="/files/` + w.Filename() + "#sha256=" + s.sums[w.Filename()] + `">x</a>`
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/simple/"); ok && pages[strings.Trim(name, "/")] != "" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!DOCTYPE html><html><body>" + pages[strings.Trim(name, "/")]))
			return
		}
		if data, ok := files[strings.TrimPrefix(r.URL.Path, "/files/")]; ok {
			_, _ = w.Write(data)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *site) write(t *testing.T, name, text string) {
	t.Helper()
	text = strings.ReplaceAll(text, "URL", s.url)
	for file, sum := range s.sums {
		text = strings.ReplaceAll(text, "<"+file+">", sum)
	}
	name = filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *site) resolve(t *testing.T, r resolve.Request) ([]resolve.Package, error) {
	t.Helper()
	c, err := index.New(index.Options{Dir: s.dir, Cache: t.TempDir(), Pause: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	r.Dir, r.Getenv = s.dir, func(string) string { return "" }
	if r.Target.Platform == "" {
		r.Target = target()
	}
	return resolve.Resolve(t.Context(), c, r)
}

// names returns NAME==VERSION FILE of packages.
func names(all []resolve.Package) (out []string) {
	for _, p := range all {
		out = append(out, p.Name+"=="+p.Version+" "+filepath.Base(p.URL))
	}
	return out
}

// hashes of all wheels of native 2.0.
const nativeHashes = `--hash=sha256:<native-2.0-cp311-cp311-manylinux_2_17_x86_64.whl> --hash=sha256:<native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl> \
    --hash=sha256:<native-2.0-cp39-abi3-manylinux_2_17_x86_64.whl>`

func TestRequirements(t *testing.T) {
	s := newSite(t)
	s.write(t, "reqs/base.txt", "# comment\nNew_Python==1.0 --hash=sha256:<new_python-1.0-py3-none-any.whl>  # why\n")
	s.write(t, "reqs/requirements.txt", "-r base.txt\n--index-url URL/simple\napp[extra]==1.0 ; python_version >= '3.8' \\\n    --hash=sha256:<app-1.0-py3-none-any.whl>\r\n\nnative==2.0 \\\n    "+nativeHashes+"\nmissing==1 ; sys_platform == 'win32' --hash=sha256:00\n")
	got, err := s.resolve(t, resolve.Request{Lock: "reqs/requirements.txt"})
	want := []string{"app==1.0 app-1.0-py3-none-any.whl", "native==2.0 native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl", "new-python==1.0 new_python-1.0-py3-none-any.whl"}
	if err != nil || !slices.Equal(names(got), want) {
		t.Errorf("%v, %v", names(got), err)
	}
	if got[1].SHA256 != s.sums["native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl"] || got[1].URL != s.url+"/files/native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl" {
		t.Errorf("%+v", got[1])
	}
	// Only a wheel with a listed hash is taken.
	s.write(t, "one.txt", "native==2.0 --hash=sha256:<native-2.0-cp39-abi3-manylinux_2_17_x86_64.whl>\n")
	got, err = s.resolve(t, resolve.Request{Lock: "one.txt", Index: s.url + "/simple"})
	if err != nil || !slices.Equal(names(got), []string{"native==2.0 native-2.0-cp39-abi3-manylinux_2_17_x86_64.whl"}) {
		t.Errorf("%v, %v", names(got), err)
	}
}

func TestRequirementsFaults(t *testing.T) {
	s := newSite(t)
	for text, want := range map[string]string{
		"native==2.0":                                   "r.txt:1: native has no --hash",
		"\n\nnative>=2.0 --hash=sha256:00":              "r.txt:3: native has no exact version",
		"native==2.* --hash=sha256:00":                  "has no exact version",
		"native==3.0 --hash=sha256:00":                  "native 3.0 is not in the index",
		"native==2.0 --hash=sha256:00":                  "none has a hash that the lock lists",
		"source-only==1.0 --hash=sha256:00":             "only a source distribution",
		"git+https://example.com/x.git":                 "is not a requirement",
		"x @ git+https://example.com/x.git":             "is not a requirement",
		"x @ https://example.com/x.zip --hash=sha256:0": "is not a wheel",
		"-e .":                             "is an editable project",
		"--trusted-host x":                 "is not supported",
		"-r ../../x.txt":                   "outside the project",
		"-r r.txt":                         "include each other",
		"-r none.txt":                      "none.txt: can't be read",
		"native==2.0 ; x --hash=sha256:00": "the marker",
		"native==1.0 --hash=sha256:<native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl>\nnative==2.0 " + nativeHashes: "appears twice, in the versions",
		"--extra-index-url https://a:secret@example.com/simple\nx==1 --hash=sha256:00":                              "contains a user name",
	} {
		s.write(t, "r.txt", text+"\n")
		_, err := s.resolve(t, resolve.Request{Lock: "r.txt", Index: s.url + "/simple"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: expected %q, found %v", text, want, err)
		}
	}
	s.write(t, "r.txt", "native==2.0 "+nativeHashes)
	r := resolve.Request{Lock: "r.txt", Index: s.url + "/simple", Target: target()}
	r.Target.Platform = "linux/arm64"
	if _, err := s.resolve(t, r); err == nil || !strings.Contains(err.Error(), "native 2.0 has no wheel for linux/arm64, Python 3.11, glibc 2.36, among 5 wheels") {
		t.Error(err)
	}
}

func TestPylock(t *testing.T) {
	s := newSite(t)
	const head = "lock-version = '1.0'\nrequires-python = '>=3.9'\n"
	const native = "[[packages]]\nname = 'native'\nversion = '2.0'\n" +
		"[[packages.wheels]]\nname = 'native-2.0-cp311-cp311-manylinux_2_17_x86_64.whl'\nurl = 'URL/files/native-2.0-cp311-cp311-manylinux_2_17_x86_64.whl'\nsize = 5\nhashes = {sha256 = '<native-2.0-cp311-cp311-manylinux_2_17_x86_64.whl>'}\n" +
		"[[packages.wheels]]\npath = 'wheels/native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl'\nhashes = {sha256 = '<native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl>'}\n"
	s.write(t, "sub/pylock.prod.toml", head+native+"[[packages]]\nname = 'win'\nversion = '1'\nmarker = \"sys_platform == 'win32'\"\n")
	got, err := s.resolve(t, resolve.Request{Lock: "sub/pylock.prod.toml"})
	if err != nil || len(got) != 1 || got[0].URL != "sub/wheels/native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl" || got[0].SHA256 != s.sums["native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl"] {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"lock-version = '2.0'": "expected 1.0",
		"lock-version = ":      "pylock.toml:1:",
		head + "[[packages]]\nname = 'x'\nversion = '1'\n[packages.sdist]\nname = 'x-1.tar.gz'\nurl = 'URL/x-1.tar.gz'": "only a source distribution",
		head + "[[packages]]\nname = 'x'\n[packages.vcs]\ntype = 'git'":                                                 "in version control",
		head + "[[packages]]\nname = 'x'\n[packages.directory]\npath = '.'":                                             "is a directory",
		head + "[[packages]]\nname = 'x'\nversion = '1'\n[[packages.wheels]]\nurl = 'URL/x-1-py3-none-any.whl'":         "has no SHA-256 hash",
		"lock-version = '1.0'\nrequires-python = '>=3.12'":                                                              "requires Python >=3.12, but the base has 3.11.7",
		"lock-version = '1.0'\nenvironments = [\"sys_platform == 'win32'\"]":                                            "for other environments",
	} {
		s.write(t, "pylock.toml", text)
		if _, err := s.resolve(t, resolve.Request{Lock: "pylock.toml"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected %q, found %v", text, want, err)
		}
	}
}

func TestUvLock(t *testing.T) {
	s := newSite(t)
	wheelLine := func(file string) string {
		return "wheels = [{ url = \"URL/files/" + file + "\", hash = \"sha256:<" + file + ">\", size = 7 }]\n"
	}
	lock := `version = 1
revision = 3
requires-python = ">=3.9"
[[package]]
name = "me"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "app", extra = ["fast"] },
    { name = "win", marker = "sys_platform == 'win32'" },
]
[package.dev-dependencies]
dev = [{ name = "unused" }]
[[package]]
name = "app"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "app" }, { name = "new-python" }]
` + wheelLine("app-1.0-py3-none-any.whl") + `
[package.optional-dependencies]
fast = [{ name = "native", version = "2.0", source = { registry = "https://pypi.org/simple" }, marker = "python_full_version >= '3.11'" }, { name = "native", version = "1.0", marker = "python_full_version < '3.11'" }]
[[package]]
name = "native"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.11'"]
` + wheelLine("native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl") + `
[[package]]
name = "native"
version = "2.0"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version >= '3.11'"]
` + wheelLine("native-2.0-cp311-cp311-manylinux_2_17_x86_64.whl") + `
[[package]]
name = "new-python"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
` + wheelLine("new_python-1.0-py3-none-any.whl") + `
[[package]]
name = "win"
version = "1.0"
source = { git = "https://example.com/win" }
[[package]]
name = "unused"
version = "1.0"
source = { git = "https://example.com/unused" }
`
	s.write(t, "uv.lock", lock)
	got, err := s.resolve(t, resolve.Request{Lock: "uv.lock"})
	want := []string{"app==1.0 app-1.0-py3-none-any.whl", "native==2.0 native-2.0-cp311-cp311-manylinux_2_17_x86_64.whl", "new-python==1.0 new_python-1.0-py3-none-any.whl"}
	if err != nil || !slices.Equal(names(got), want) || got[0].Size != 7 {
		t.Errorf("%v, %v", names(got), err)
	}
	for old, c := range map[string]struct{ text, want string }{
		"version = 1\n":             {"version = 2\n", "expected 1"},
		"{ virtual = \".\" }":       {"{ registry = \"x\" }", "has no project"},
		"sys_platform == 'win32'":   {"sys_platform == 'linux'", "win has the source git"},
		"{ name = \"new-python\" }": {"{ name = \"ghost\" }", "has 0 packages ghost"},
		">=3.9":                     {">=3.13", "requires Python >=3.13"},
	} {
		s.write(t, "uv.lock", strings.Replace(lock, old, c.text, 1))
		if _, err := s.resolve(t, resolve.Request{Lock: "uv.lock"}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: expected %q, found %v", old, c.want, err)
		}
	}
}

// TestPip: pip resolves for the image's Python and platform, and evaluates markers for it.
func TestPip(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import pip; assert int(pip.__version__.split('.')[0]) >= 23").Run()
	}
	if err != nil {
		t.Skip("there is no python3 with pip 23 or later")
	}
	s := newSite(t)
	got, err := s.resolve(t, resolve.Request{Requirements: []string{"app>=1"}, Index: s.url + "/simple"})
	want := []string{"app==1.0 app-1.0-py3-none-any.whl", "native==2.0 native-2.0-cp311-cp311-manylinux_2_28_x86_64.whl", "new-python==1.0 new_python-1.0-py3-none-any.whl"}
	if err != nil || !slices.Equal(names(got), want) {
		t.Errorf("%v, %v", names(got), err)
	}
	got, err = s.resolve(t, resolve.Request{Requirements: []string{"app>=1"}, Index: s.url + "/simple", Only: []string{"app"}, Current: []resolve.Package{{Name: "native", Version: "1.0"}}})
	if err != nil || !slices.Contains(names(got), "native==1.0 native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl") {
		t.Errorf("%v, %v", names(got), err)
	}
	_, err = s.resolve(t, resolve.Request{Requirements: []string{"source-only"}, Index: s.url + "/simple"})
	if err == nil || !strings.Contains(err.Error(), "can't be resolved for linux/amd64, Python 3.11, glibc 2.36:") || !strings.Contains(err.Error(), "source-only") {
		t.Error(err)
	}
	for _, bad := range []string{"--index-url=http://x", "git+https://example.com/x", "x @ git+https://example.com/x", "x @ https://a:secret@example.com/x-1-py3-none-any.whl", ".", "./x", "a\nb"} {
		if _, err := s.resolve(t, resolve.Request{Requirements: []string{bad}, Index: s.url + "/simple"}); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "can't be resolved") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
