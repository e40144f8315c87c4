// Package layers writes wheels as the layers of an image: one virtual environment whose interpreter is the base image's, as
// gzipped tar files. The bytes follow from the wheels and the layout alone, so that the same wheels have the same digests
// everywhere. Times are 0, owners are root, and entries are sorted.
//
// Wheels are streamed, in constant memory. What a wheel has compressed by deflate goes to the layer as it is: a gzip file may
// consist of members, and each large file is a member of its own. So a layer is written about as fast as its wheel is read.
//
// The package doesn't compile modules to bytecode: that is the interpreter's work when a module is first imported. It makes no
// requests, and knows no indexes.
package layers

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/base"
	"pipec.dev/pipec/runtime/image/wheel"
)

// Root is the directory of the virtual environment.
const Root = "/opt/venv"

// Layout is where files are installed.
type Layout struct {
	Python base.Python
}

// library returns the name of the interpreter's directories, such as python3.11.
func (l Layout) library() string {
	name := "python" + l.Python.Minor()
	if l.Python.Threaded {
		name += "t"
	}
	return name
}

// site returns the directory of packages, relative to Root.
func (l Layout) site() string { return path.Join("lib", l.library(), "site-packages") }

// entry is one file of a layer, relative to Root.
type entry struct {
	path       string
	executable bool
	file       *wheel.File // the content; nil: content or link
	content    []byte
	link       string
	wheel      string // for messages
}

// environment returns the files that make Root a virtual environment.
func (l Layout) environment() []entry {
	config := fmt.Sprintf("home = %s\ninclude-system-site-packages = true\nversion = %s\nexecutable = %s\n",
		path.Dir(l.Python.Executable), l.Python.Version, l.Python.Executable)
	return []entry{
		{path: "bin/python", link: l.Python.Executable},
		{path: "bin/python3", link: "python"},
		{path: "bin/" + l.library(), link: "python"},
		{path: "pyvenv.cfg", content: []byte(config)},
	}
}

// reserved reports whether a path belongs to the environment itself.
func (l Layout) reserved(name string) bool {
	return slices.ContainsFunc(l.environment(), func(e entry) bool {
		return name == e.path || strings.HasPrefix(name, e.path+"/")
	})
}

// place returns where a file of a wheel is installed.
func (l Layout) place(w *wheel.Wheel, f *wheel.File) string {
	switch f.Scheme {
	case wheel.Scripts:
		return path.Join("bin", f.Path)
	case wheel.Headers:
		return path.Join("include/site", l.library(), w.Name, f.Path)
	case wheel.Data:
		return f.Path
	default:
		return path.Join(l.site(), f.Path)
	}
}
