package main

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// epoch is the modification time of every file.
var epoch = time.Unix(0, 0).UTC()

// entry is a file of an archive.
type entry struct {
	name string // in the archive
	path string // of the content
	mode int64
}

// archive is a list of files.
type archive struct{ entries []entry }

func (a *archive) add(name, path string, mode int64) {
	a.entries = append(a.entries, entry{name, path, mode})
}

// addTree adds the files of a directory, readable for everyone.
func (a *archive) addTree(name, dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return nil
		case !e.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file", path)
		}
		rel, err := filepath.Rel(dir, path)
		if err == nil {
			a.add(name+"/"+filepath.ToSlash(rel), path, 0o644)
		}
		return err
	})
}

// write writes a compressed tar, sorted by name.
func (a *archive) write(w io.Writer) error {
	slices.SortFunc(a.entries, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for i := range a.entries {
		if err := a.entries[i].write(t); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func (e *entry) write(t *tar.Writer) error {
	f, err := os.Open(e.path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", e.path)
	}
	err = t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Size: info.Size(), ModTime: epoch, Format: tar.FormatPAX})
	if err == nil {
		_, err = io.Copy(t, f)
	}
	return err
}
