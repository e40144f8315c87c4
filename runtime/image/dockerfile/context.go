package dockerfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// unread are the files of a project that builds themselves, or runs, change.
var unread = []string{".git", ".pipec", "pipec.lock.json"}

// Digest returns the digest of a Dockerfile and of the files that a build of it can read: those of dir, without what .dockerignore
// names. Owners and times are not part of it, as in docker's cache.
func Digest(dir, file string) (string, error) {
	h := sha256.New()
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%q\n", text)
	ignored, err := ignore(dir, file)
	if err != nil {
		return "", err
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if slices.Contains(unread, filepath.ToSlash(rel)) {
			return skip(e)
		}
		out, err := ignored.MatchesOrParentMatches(rel)
		switch {
		case err != nil:
			return err
		case out && e.IsDir() && !ignored.Exclusions():
			return fs.SkipDir
		case out:
			return nil
		}
		return entry(h, path, filepath.ToSlash(rel), e)
	})
	if err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func skip(e fs.DirEntry) error {
	if e.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// entry adds a file, a directory or a link. Sockets and devices can't be copied, and are left out.
func entry(h io.Writer, path, rel string, e fs.DirEntry) error {
	switch mode := e.Type(); {
	case mode.IsDir():
		fmt.Fprintf(h, "dir %q\n", rel)
	case mode&fs.ModeSymlink != 0:
		to, err := os.Readlink(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "link %q %q\n", rel, to)
	case mode.IsRegular():
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return err
		}
		fmt.Fprintf(h, "file %q %o %x\n", rel, info.Mode().Perm()&0o111, sum.Sum(nil))
	}
	return nil
}

// ignore reads the patterns of NAME.dockerignore beside the Dockerfile, or else of .dockerignore in dir.
func ignore(dir, file string) (*patternmatcher.PatternMatcher, error) {
	for _, name := range []string{file + ".dockerignore", filepath.Join(dir, ".dockerignore")} {
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		m, err := patternmatcher.New(patterns)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		return m, nil
	}
	return patternmatcher.New(nil)
}
