package step

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/record"
)

// lookPath finds the program in the PATH of the process's own environment, not pipec's. Whether a program with a path
// can be started is decided by the kernel; badPath explains why not.
func lookPath(name string, env []string, dir string) (string, *failure) {
	if strings.ContainsRune(name, '/') {
		if filepath.IsAbs(name) {
			return name, nil
		}
		return filepath.Join(dir, name), nil
	}
	path := lookupEnv(env, "PATH")
	for _, in := range filepath.SplitList(path) {
		if in == "" {
			in = "."
		}
		if !filepath.IsAbs(in) {
			in = filepath.Join(dir, in)
		}
		found := filepath.Join(in, name)
		if info, err := os.Stat(found); err == nil && info.Mode().IsRegular() && unix.Access(found, unix.X_OK) == nil {
			return found, nil
		}
	}
	hint := ""
	if strings.ContainsAny(name, " \t") {
		hint = "; a command is a list with one element per argument"
	} else if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		hint = "; to run the one in the working directory, write \"./" + name + "\""
	}
	if path == "" {
		return "", userFailure(record.ReasonStart, "can't start %q: PATH is empty or not set%s", name, hint)
	}
	return "", userFailure(record.ReasonStart, "can't start %q: there is no such program in PATH (%s)%s", name, path, hint)
}

// badPath explains what is wrong with the file of a program; nil if nothing is visible.
func badPath(name, path string) *failure {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return userFailure(record.ReasonStart, "can't start %q: there is no such file (relative names are resolved in the working directory)", name)
	case err != nil:
		return userFailure(record.ReasonStart, "can't start %q: %s", name, plain(err))
	case info.IsDir():
		return userFailure(record.ReasonStart, "can't start %q: it is a directory", name)
	case unix.Access(path, unix.X_OK) != nil:
		return userFailure(record.ReasonStart, "can't start %q: it is not executable (chmod +x, or name its interpreter: [\"sh\", %q])", name, name)
	}
	return nil
}

// plain returns the reason of a file system error, without the operation and the path.
func plain(err error) string {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return perr.Err.Error()
	}
	return err.Error()
}
