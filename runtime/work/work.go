// Package work manages the directories in which runs work on this machine: PROJECT/.pipec/work/RUN, with a directory
// for each attempt, the lock of the driver, requests of other processes to the driver, and the processes that work
// there.
//
// It makes no decisions about a run and stores no records: those are in the store. It works on Unix only; finding
// processes that a killed driver left works on Linux only.
package work

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// The names in a run's directory. Those of pipec start with a dot, which no step's name does.
const (
	lockName     = ".lock"
	requestsName = ".requests"
	sparesName   = ".spares" // beside the runs' directories
)

// Dir is the directory in which the runs of a project work.
type Dir struct{ path string }

// In returns the directory of a project's runs. It creates nothing.
func In(project string) (Dir, error) {
	abs, err := filepath.Abs(project)
	if err != nil {
		return Dir{}, err
	}
	// The path must be unique, because the processes of a run are found by it.
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return Dir{}, err
	}
	return Dir{filepath.Join(abs, ".pipec", "work")}, nil
}

// Project returns the project's directory, absolute and without symbolic links.
func (d Dir) Project() string { return filepath.Dir(filepath.Dir(d.path)) }

// Run returns the directory of a run.
func (d Dir) Run(name string) (Run, error) {
	if err := CheckName(name); err != nil {
		return Run{}, err
	}
	return Run{filepath.Join(d.path, name)}, nil
}

// CheckName reports an error if name is not a valid name of a run. The name is a part of keys and paths.
func CheckName(name string) error {
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	}
	if name == "" || len(name) > 200 || name[0] == '.' || name[0] == '-' || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("%q is not a valid name of a run: a name has letters, digits, '-', '_' and '.', and starts with a letter or a digit", name)
	}
	return nil
}

// Runs returns the names of the runs that have a directory, sorted.
func (d Dir) Runs() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, nil
		}
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && CheckName(e.Name()) == nil {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// Run is the directory in which one run works.
type Run struct{ path string }

// Path returns the path of the directory.
func (r Run) Path() string { return r.path }

// Step returns the directory of a step's attempts.
func (r Run) Step(address string) string {
	return filepath.Join(r.path, record.Address(address).SafeName())
}

// spares returns the directory of unused directories that can be reused.
func (r Run) spares() string    { return filepath.Join(filepath.Dir(r.path), sparesName) }
func (r Run) kept(i int) string { return filepath.Join(r.spares(), strconv.Itoa(i)) }

// Attempt returns the directory of an attempt.
func (r Run) Attempt(step string, n int) string {
	return filepath.Join(r.path, record.Address(step).SafeName(), strconv.Itoa(n))
}

// LogFile returns the path of an attempt's log while the attempt runs.
func (r Run) LogFile(name string, n int) string {
	return (&step.Spec{Root: r.Attempt(name, n)}).LogFile()
}

// Attempts returns the numbers of a step's attempts that have a directory.
func (r Run) Attempts(step string) []int {
	entries, err := os.ReadDir(r.Step(step))
	if err != nil {
		return nil
	}
	var out []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 && e.IsDir() {
			out = append(out, n)
		}
	}
	return out
}

// Steps returns the directories (see record.Place) of the steps.
func (r Run) Steps() []string {
	entries, err := os.ReadDir(r.path)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	return out
}

// Remove removes the directory of an attempt or of a run, even if a step removed its own permissions.
func Remove(path string) error {
	err := os.RemoveAll(path)
	if err == nil || !os.IsPermission(err) {
		return err
	}
	_ = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if e != nil && e.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}
