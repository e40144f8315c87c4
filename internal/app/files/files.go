// Package files lists, replaces and creates source files of projects, for the use cases that write them: formatting,
// converting, fixing and starting a project.
package files

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/internal/app/fault"
)

// Sources are the HCL files, sources and tests, that a path refers to: the file itself, or those of a directory, with recursive those of the
// directories beneath it too. Files and directories whose names begin with a dot are left out.
func Sources(path string, recursive bool) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Usagef("there is no file or directory %s", path)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var out []string
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != path && (!recursive || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case isFile(name, d) && isHCL(d.Name()):
			out = append(out, name)
		}
		return nil
	})
	return out, fault.Env(err)
}

// isHCL reports whether a file of this name is a source or a file of tests in HCL.
func isHCL(name string) bool {
	return (load.IsSource(name) || load.IsTests(name)) && strings.HasSuffix(name, ".hcl")
}

// isFile reports whether an entry of a directory is a file, or a symbolic link to one.
func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Read reads a file, up to just above the size that a source may have.
func Read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, load.MaxRead))
}

// Replace replaces the content of a file atomically, and keeps its mode. Read-only files are an error.
func Replace(name string, data []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o222 == 0 {
		return fmt.Errorf("%s is read-only and was not changed", name)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".pipec-fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// Create writes a file that does not exist yet, with the directories above it. The error for a file that exists is
// fs.ErrExist.
func Create(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
