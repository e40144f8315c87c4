// Package base finds out what a base image contains, from its files alone: the Python interpreter that its PATH leads to, the C
// library, and the names of its shared libraries. It runs nothing. Layers are streamed, and no file is kept but the few whose
// content states a version.
package base

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Base is what is known of an image.
type Base struct {
	Platform  string   `json:"platform"` // such as linux/amd64
	Python    Python   `json:"python"`
	Libc      Libc     `json:"libc"`
	Libraries []string `json:"libraries,omitempty"` // names of the shared libraries, sorted
}

// Python is an interpreter.
type Python struct {
	Version    string `json:"version"`    // 3.11.7; the last part is 0 if the files don't state it
	Executable string `json:"executable"` // the absolute path of the file, without symbolic links
	Threaded   bool   `json:"threaded,omitempty"`
}

// Minor returns the version without its last part, such as 3.11.
func (p Python) Minor() string {
	parts := strings.SplitN(p.Version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// Libc is a C library: glibc or musl, and its version. The version is zero if the files don't state it.
type Libc struct {
	Name  string `json:"name"`
	Major int    `json:"major"`
	Minor int    `json:"minor"`
}

// Error explains why an image can't be the base of a Python environment. It is a fault of the project.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Inspect reads the files of an image. It reads all layers: the caller keeps the result.
func Inspect(ctx context.Context, image v1.Image) (*Base, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	files, err := scan(ctx, image)
	if err != nil {
		return nil, err
	}
	out := &Base{Platform: config.OS + "/" + config.Architecture, Libraries: files.libraries()}
	if config.Variant != "" && (config.Architecture != "arm64" || config.Variant != "v8") {
		out.Platform += "/" + config.Variant
	}
	if out.Python, err = files.python(config.Config.Env); err != nil {
		return nil, err
	}
	out.Libc = files.libc()
	return out, nil
}

// defaultPath is the PATH of containers whose image sets none.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// python finds the interpreter as a shell does.
func (t *tree) python(env []string) (Python, error) {
	search, stated := defaultPath, ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			search = v
		}
		if v, ok := strings.CutPrefix(e, "PYTHON_VERSION="); ok {
			stated = v
		}
	}
	for _, dir := range strings.Split(search, ":") {
		for _, name := range []string{"python3", "python"} {
			if !path.IsAbs(dir) {
				continue
			}
			found, ok := t.resolve(path.Join(dir, name))
			if !ok || t.nodes[found].kind != isFile {
				continue
			}
			if _, venv := t.resolve(path.Join(path.Dir(dir), "pyvenv.cfg")); venv {
				return Python{}, &Error{fmt.Sprintf("its PATH leads to the virtual environment %s, to which packages can't be added: use a base without one, or a Dockerfile", path.Dir(dir))}
			}
			return t.interpreter(found, stated)
		}
	}
	return Python{}, &Error{"it has no python3 on its PATH (" + search + "): use a base with Python, such as python:3.12-slim, or a Dockerfile"}
}

// interpreter finds the version of an executable by its name and its library.
func (t *tree) interpreter(file, stated string) (Python, error) {
	prefix := path.Dir(path.Dir(file))
	if m := regexp.MustCompile(`^pypy`).FindString(path.Base(file)); m != "" {
		return Python{}, &Error{"its interpreter " + file + " is PyPy: only CPython is supported; use a Dockerfile"}
	}
	var minors []string
	if m := regexp.MustCompile(`^python(3\.[0-9]+)(t?)$`).FindStringSubmatch(path.Base(file)); m != nil {
		minors = []string{m[1] + m[2]}
	} else {
		minors = t.versions(path.Join(prefix, "lib"))
	}
	if len(minors) != 1 {
		return Python{}, &Error{fmt.Sprintf("its interpreter %s has %d possible versions, according to %s/lib: use a Dockerfile", file, len(minors), prefix)}
	}
	minor, threaded := strings.CutSuffix(minors[0], "t")
	lib := path.Join(prefix, "lib", "python"+minors[0])
	if _, ok := t.resolve(path.Join(lib, "os.py")); !ok {
		return Python{}, &Error{fmt.Sprintf("its interpreter %s has no standard library in %s: use a Dockerfile", file, lib)}
	}
	out := Python{Version: minor + ".0", Executable: file, Threaded: threaded}
	if strings.HasPrefix(stated, minor+".") && regexp.MustCompile(`^3\.[0-9]+\.[0-9]+((a|b|rc)[0-9]+)?$`).MatchString(stated) {
		out.Version = stated
	} else if m := regexp.MustCompile(`#define PY_VERSION\s+"(3\.[0-9]+\.[0-9]+)`).FindSubmatch(t.contents[path.Join(prefix, "include", "python"+minors[0], "patchlevel.h")]); m != nil {
		out.Version = string(m[1])
	}
	return out, nil
}
