package layers_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/image/base"
	"pipec.dev/pipec/runtime/image/layers"
	"pipec.dev/pipec/runtime/image/wheel"
	"pipec.dev/pipec/runtime/image/wheel/wheeltest"
)

var allPythons = flag.Bool("pythons", false, "compare with each Python from 3.9 on that pyenv has")

// pythons returns the interpreters on this machine from 3.9 on, one of each minor version, and that whose pip installs.
func pythons(t *testing.T) (pip string, all map[string]string) {
	t.Helper()
	pip, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(pip, "-m", "pip", "--python", pip, "--version").Run()
	}
	if err != nil {
		t.Skip("there is no python3 with pip 22.3 or later")
	}
	candidates := []string{pip}
	if root, err := exec.Command("pyenv", "root").Output(); err == nil && *allPythons {
		found, _ := filepath.Glob(strings.TrimSpace(string(root)) + "/versions/3.*/bin/python3")
		candidates = append(candidates, found...)
	}
	all = map[string]string{}
	for _, c := range candidates {
		out, err := exec.Command(c, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2], '%d.%d.%d' % sys.version_info[:3], sys.executable)").Output()
		f := strings.Fields(string(out))
		if err == nil && len(f) == 3 && (len(f[0]) > 3 || f[0] == "3.9") {
			if _, ok := all[f[1]]; !ok && !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(v string) bool { return strings.HasPrefix(v, f[0]+".") }) {
				all[f[1]] = f[2]
			}
		}
	}
	return pip, all
}

// TestOracle compares the environment with what pip installs into one from the same wheels: files, modes and contents.
func TestOracle(t *testing.T) {
	pip, all := pythons(t)
	specs := []wheeltest.Wheel{native(), {
		Name: "Pure.Name", Version: "1.0", Files: map[string]string{
			"pure_name/__init__.py":                "x = 1\n",
			"pure_name/größe, 1.txt":               "ü",
			"pure_name/empty":                      "",
			"Pure.Name-1.0.data/purelib/top.py":    "y = 1\n",
			"Pure.Name-1.0.data/platlib/plat.py":   "y = 1\n",
			"Pure.Name-1.0.data/scripts/win":       "#!pythonw\nprint('win')\n",
			"Pure.Name-1.0.data/scripts/pure":      "#!python\nreplaced by the entry point\n",
			"Pure.Name-1.0.data/scripts/binary":    "\x7fELF" + strings.Repeat("x", 100),
			"Pure.Name-1.0.data/data/etc/pure.cfg": "a = 1\n",
		},
		Executable:  []string{"pure_name/empty", "Pure.Name-1.0.data/scripts/win", "Pure.Name-1.0.data/scripts/binary"},
		EntryPoints: "[console_scripts]\npure = pure_name:main [extra]\n[gui_scripts]\npure-gui = pure_name.gui:Main.run\n",
	}}
	specs[0].Tag = "py3-none-any" // installed everywhere
	dir := t.TempDir()
	var files []string
	for _, s := range specs {
		files = append(files, filepath.Join(dir, s.Filename()))
		if err := os.WriteFile(files[len(files)-1], s.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for version, python := range all {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			compare(t, pip, base.Python{Version: version, Executable: python}, files)
		})
	}
}

// compare installs wheels in both ways.
func compare(t *testing.T, pip string, python base.Python, files []string) {
	t.Helper()
	venv := filepath.Join(t.TempDir(), "venv")
	for _, args := range [][]string{
		{python.Executable, "-m", "venv", "--without-pip", "--system-site-packages", venv},
		append([]string{pip, "-m", "pip", "--python", venv + "/bin/python", "install", "--no-compile", "--no-deps", "--no-index", "--ignore-installed", "-q"}, files...),
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_CONFIG_FILE=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	ours := filepath.Join(t.TempDir(), "root")
	unpack(t, ours, layers.Layout{Python: python}, files)
	want, got := walk(t, venv, venv), walk(t, filepath.Join(ours, layers.Root), layers.Root)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if strings.HasPrefix(name, "bin/") && got[name] == "" && (strings.HasPrefix(filepath.Base(name), "activate") || filepath.Base(name) == "Activate.ps1" || strings.HasPrefix(filepath.Base(name), "python")) {
			continue // of the environment itself
		}
		if name == ".gitignore" || strings.HasSuffix(name, "/REQUESTED") || strings.HasSuffix(name, "/direct_url.json") {
			continue
		}
		if got[name] != want[name] {
			t.Errorf("%s: expected %.2000s, found %.2000s", name, want[name], got[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is not in pip's environment", name)
		}
	}
	// The environment works: the interpreter finds the packages and their metadata.
	out, err := exec.Command(filepath.Join(ours, layers.Root, "bin/python3"), "-B", "-c", "import sys, pure_name, top, plat; from importlib.metadata import version, files; print(version('Pure.Name'), all(f.locate().exists() for f in files('native')), sys.prefix)").CombinedOutput()
	if want := fmt.Sprintln("1.0 True", filepath.Join(ours, layers.Root)); err != nil || string(out) != want {
		t.Errorf("%v: %s", err, out)
	}
}

// unpack writes the layers of wheels to a directory.
func unpack(t *testing.T, dir string, l layers.Layout, files []string) {
	t.Helper()
	var wheels []*wheel.Wheel
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		w, err := wheel.Open(f, info.Size(), filepath.Base(name))
		if err != nil {
			t.Fatal(err)
		}
		wheels = append(wheels, w)
	}
	var b bytes.Buffer
	if _, _, err := layers.Write(t.Context(), &b, l, true, wheels); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(at, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, at)
		default:
			var content []byte
			if content, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(at, content, fs.FileMode(h.Mode))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// walk returns the files of an environment: their modes and contents. The rows of RECORD are sorted, and what each installer
// writes about itself is left out.
func walk(t *testing.T, dir, prefix string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		content, err := os.ReadFile(name)
		info, ierr := e.Info()
		if err = errors.Join(err, ierr); err != nil {
			return err
		}
		text := strings.ReplaceAll(string(content), prefix+"/bin/python", "PREFIX/bin/python")
		switch filepath.Base(name) {
		case "INSTALLER", "pyvenv.cfg":
			text = ""
		case "RECORD":
			rows := slices.DeleteFunc(strings.Split(strings.TrimSpace(text), "\n"), func(row string) bool {
				return strings.Contains(row, "/INSTALLER,") || strings.Contains(row, "/REQUESTED,") || strings.Contains(row, "/direct_url.json,") ||
					strings.Contains(row, ".data/") // pip keeps the row of a script that an entry point replaces
			})
			for i, row := range rows {
				if strings.Contains(row, "/bin/") { // its hash depends on the environment's directory
					rows[i], _, _ = strings.Cut(row, ",")
				}
			}
			slices.Sort(rows)
			text = strings.ReplaceAll(strings.Join(rows, "\n"), "\r", "")
		}
		out[rel] = fmt.Sprintf("%v %s", info.Mode().Perm()&0o100, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
