// Package wheel reads Python wheels by the binary distribution format (PEP 427 and its successors): the name and tags of the
// file, the metadata, the list of files in RECORD, console scripts, and the place to which each file is installed.
//
// Open checks everything that can be checked without reading the contents: a wheel that could write outside its directories,
// that is larger than it claims, or whose RECORD does not list exactly its files is rejected with an *Error. The contents are
// streamed, and checked against RECORD while they are copied. The package installs nothing, and knows neither images nor
// indexes.
package wheel

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Wheel is a wheel whose list of files has been checked.
type Wheel struct {
	Filename    Filename
	Name        string       // as METADATA writes it
	Version     string       // as METADATA writes it
	DistInfo    string       // the directory of the metadata, such as numpy-1.26.4.dist-info
	Files       []*File      // what is installed, by scheme and path; without RECORD, which an installer writes again
	EntryPoints []EntryPoint // console and GUI scripts, by name
}

// Scheme is the kind of directory to which a file is installed.
type Scheme string

// The schemes. Purelib and platlib are the same directory in a virtual environment.
const (
	Purelib Scheme = "purelib"
	Platlib Scheme = "platlib"
	Scripts Scheme = "scripts"
	Headers Scheme = "headers"
	Data    Scheme = "data"
)

// Error explains why a file is not a wheel that can be installed.
type Error struct {
	Wheel string // the name of the wheel's file
	File  string // in the wheel; "": the whole wheel
	Text  string
	Err   error // the cause; may be nil
}

func (e *Error) Error() string {
	out := fmt.Sprintf("wheel %q: ", e.Wheel)
	if e.File != "" {
		out += fmt.Sprintf("%q ", e.File)
	}
	return out + e.Text
}

func (e *Error) Unwrap() error { return e.Err }

// Open reads the list of files and the metadata of a wheel. filename is the name of its file without a directory.
func Open(r io.ReaderAt, size int64, filename string) (*Wheel, error) {
	parsed, err := ParseFilename(filename)
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // the paths are checked below
		return nil, &Error{Wheel: filename, Text: "is not a valid zip file: " + err.Error(), Err: err}
	}
	o := &opener{wheel: &Wheel{Filename: parsed}, filename: filename, size: size, files: map[string]*File{}}
	for _, step := range []func() error{
		func() error { return o.list(archive) },
		o.distInfo,
		o.wheelFile,
		o.metadata,
		o.record,
		o.schemes,
		o.entryPoints,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(o.wheel.Files, func(a, b *File) int {
		return strings.Compare(string(a.Scheme)+"/"+a.Path, string(b.Scheme)+"/"+b.Path)
	})
	return o.wheel, nil
}

// opener collects the parts of a wheel.
type opener struct {
	wheel    *Wheel
	filename string
	size     int64
	files    map[string]*File // by the name in the archive
	purelib  bool             // the root of the archive is purelib, not platlib
}

func (o *opener) fault(file, format string, args ...any) error {
	return &Error{Wheel: o.filename, File: file, Text: fmt.Sprintf(format, args...)}
}
