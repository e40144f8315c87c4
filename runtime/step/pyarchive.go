package step

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sync"
)

// runnerSource is the Python package that calls the user's function: see the text of its __init__.py.
//
//go:embed runner/__main__.py runner/_pipec_runner/*.py
var runnerSource embed.FS

const runnerRoot = "runner"

// RunnerDigest is the digest of the Python runner's sources.
func RunnerDigest() string { return runnerDigest() }

var runnerDigest = sync.OnceValue(func() string {
	h := sha256.New()
	_ = eachModule(func(name string, source []byte) error { // writing to a hash never fails
		fmt.Fprintf(h, "%s %d\n%s", name, len(source), source)
		return nil
	})
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
})

// runnerArchive returns the runner as a zip archive with a __main__.py, which the interpreter can execute. It is not
// compressed, because an interpreter may lack zlib, and its bytes depend only on the sources.
var runnerArchive = sync.OnceValues(func() ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	err := eachModule(func(name string, source []byte) error {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = entry.Write(source)
		}
		return err
	})
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
})

// eachModule calls f for the runner's modules, sorted by name.
func eachModule(do func(name string, source []byte) error) error {
	modules, err := fs.Sub(runnerSource, runnerRoot)
	if err != nil {
		return err
	}
	return fs.WalkDir(modules, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		source, err := fs.ReadFile(modules, path)
		if err != nil {
			return err
		}
		return do(path, source)
	})
}
