package store

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// List walks only the directories that can contain such keys.
func (l *Local) List(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dir := "."
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			dir = prefix[:i]
			if err := CheckKey(dir); err != nil {
				yield("", err)
				return
			}
		}
		w := lister{l: l, ctx: ctx, prefix: prefix, after: after, yield: yield}
		w.walk(dir)
	}
}

type lister struct {
	l             *Local
	ctx           context.Context
	prefix, after string
	yield         func(string, error) bool
}

// walk reports whether to continue.
func (w *lister) walk(dir string) bool {
	if err := w.ctx.Err(); err != nil {
		w.yield("", err)
		return false
	}
	names, err := w.names(dir)
	if err != nil {
		w.yield("", w.l.fault("list", dir, err))
		return false
	}
	for _, name := range names {
		key := strings.TrimPrefix(path.Join(dir, name), "./")
		if !strings.HasSuffix(name, "/") {
			if strings.HasPrefix(key, w.prefix) && key > w.after && !w.yield(key, nil) {
				return false
			}
			continue
		}
		below := key + "/"
		inPrefix := strings.HasPrefix(below, w.prefix) || strings.HasPrefix(w.prefix, below)
		passed := below < w.after && !strings.HasPrefix(w.after, below)
		if inPrefix && !passed && !w.walk(key) {
			return false
		}
	}
	return true
}

// names returns the files and directories in dir in the order of their keys: the name of a directory ends in a slash.
func (w *lister) names(dir string) ([]string, error) {
	d, err := w.l.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		switch {
		case e.IsDir() && e.Name() != tempDir:
			names = append(names, e.Name()+"/")
		case e.Type().IsRegular():
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}
