package store

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/schema/record"
)

const (
	// MaxFiles is the largest number of entries of a directory artifact.
	MaxFiles = 200_000
	maxTree  = 64 << 20 // bytes of a Tree's JSON
	maxHops  = 40       // symbolic links followed in one path, as in Linux
	workers  = 8        // files of a tree that are read or written at the same time
	remotely = 16       // the same for a remote store, where each waits for answers
)

func workersFor(s Store) int {
	if isLocal(s) {
		return workers
	}
	return remotely
}

// Save stores the file or the directory at path. If path is a symbolic link, its target is stored. With move the store may
// take the files over, and path must not be used afterwards.
func Save(ctx context.Context, s Store, path string, move bool) (record.Artifact, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return record.Artifact{}, unreadable(path, err)
	}
	if info.Mode().Type() == fs.ModeSymlink {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return record.Artifact{}, unreadable(path, err)
		}
		if info, err = os.Stat(target); err != nil {
			return record.Artifact{}, unreadable(path, err)
		}
		path, move = target, false // the target isn't the caller's to move
	}
	switch {
	case info.IsDir():
		w := walker{root: path, maxFiles: MaxFiles}
		return w.save(ctx, s, move)
	case info.Mode().IsRegular():
		digest, size, err := saveFile(ctx, s, path, move)
		return record.Artifact{Digest: digest, Size: size}, err
	}
	return record.Artifact{}, &ContentError{path, "is " + kindOf(info.Mode()) + ", and only files and directories can be stored"}
}

// walker lists a directory as the entries of a Tree.
type walker struct {
	root     string
	skip     func(path string, dir bool) bool // nil: nothing
	maxFiles int
	maxBytes int64 // 0: no bound
	hint     string
	files    []record.File
	bytes    int64
}

func (w *walker) save(ctx context.Context, s Store, move bool) (record.Artifact, error) {
	if err := w.walk(""); err != nil {
		return record.Artifact{}, err
	}
	return w.store(ctx, s, move)
}

// store stores the files that were found.
func (w *walker) store(ctx context.Context, s Store, move bool) (record.Artifact, error) {
	sort.Slice(w.files, func(i, j int) bool { return w.files[i].Path < w.files[j].Path })
	tree := record.Tree{Version: record.Version, Files: w.files}
	if err := CheckTree(tree); err != nil {
		return record.Artifact{}, &ContentError{w.root, err.Error()}
	}
	g, ctx2 := errgroup.WithContext(ctx)
	g.SetLimit(workersFor(s))
	for i := range tree.Files {
		f := &tree.Files[i]
		if f.Dir || f.Link != "" {
			continue
		}
		g.Go(func() (err error) {
			f.Digest, f.Size, err = saveFile(ctx2, s, filepath.Join(w.root, f.Path), move)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return record.Artifact{}, err
	}
	return PutTree(ctx, s, tree)
}

// PutTree stores a Tree whose files are in the store.
func PutTree(ctx context.Context, s Store, tree record.Tree) (record.Artifact, error) {
	tree.Version = record.Version
	if tree.Files == nil {
		tree.Files = []record.File{}
	}
	if err := CheckTree(tree); err != nil {
		return record.Artifact{}, err
	}
	a := record.Artifact{Directory: true}
	for i := range tree.Files {
		a.Size += tree.Files[i].Size
	}
	data, err := EncodeJSON(tree)
	if err != nil {
		return a, err
	}
	if len(data) > maxTree {
		return a, &ContentError{"the directory", "has too many files for one artifact; store an archive of it instead"}
	}
	a.Digest, err = PutBytes(ctx, s, data)
	return a, err
}

func (w *walker) walk(dir string) error {
	entries, err := os.ReadDir(filepath.Join(w.root, dir))
	if err != nil {
		return unreadable(filepath.Join(w.root, dir), err)
	}
	kept := 0
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if w.skip != nil && w.skip(name, e.IsDir()) {
			continue
		}
		kept++
		if err := w.entry(name, e); err != nil {
			return err
		}
	}
	if kept == 0 && dir != "" && len(entries) == 0 {
		return w.add(record.File{Path: dir, Dir: true})
	}
	return nil
}

func (w *walker) entry(name string, e fs.DirEntry) error {
	full := filepath.Join(w.root, name)
	switch mode := e.Type(); {
	case mode.IsDir():
		return w.walk(name)
	case mode.IsRegular():
		info, err := e.Info()
		if err != nil {
			return unreadable(full, err)
		}
		if w.bytes += info.Size(); w.maxBytes > 0 && w.bytes > w.maxBytes {
			return &ContentError{w.root, fmt.Sprintf("has more than %d MB%s", w.maxBytes>>20, w.hint)}
		}
		return w.add(record.File{Path: name, Exec: info.Mode()&0o111 != 0})
	case mode == fs.ModeSymlink:
		target, err := os.Readlink(full)
		if err != nil {
			return unreadable(full, err)
		}
		return w.add(record.File{Path: name, Link: target})
	default:
		return &ContentError{full, "is " + kindOf(mode) + ", and only files, directories and links can be stored"}
	}
}

func (w *walker) add(f record.File) error {
	if len(w.files) >= w.maxFiles {
		return &ContentError{w.root, fmt.Sprintf("has more than %d files%s", w.maxFiles, w.hint)}
	}
	w.files = append(w.files, f)
	return nil
}

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// CheckTree returns an error if a Tree is not valid: paths are clean, relative, sorted and unique, nothing is beneath a
// file or a link, and no link leads out of the tree, not even through other links.
func CheckTree(t record.Tree) error {
	if len(t.Files) > MaxFiles {
		return fmt.Errorf("has more than %d files", MaxFiles)
	}
	links := map[string]string{}
	leaves := make(map[string]bool, len(t.Files))
	for i := range t.Files {
		f := &t.Files[i]
		if !fs.ValidPath(f.Path) || f.Path == "." || strings.ContainsRune(f.Path, 0) {
			if !utf8.ValidString(f.Path) {
				return fmt.Errorf("contains %q, whose name is not UTF-8", shorten(f.Path))
			}
			return fmt.Errorf("contains %q, which can't be a path", shorten(f.Path))
		}
		if i > 0 && t.Files[i-1].Path >= f.Path {
			return fmt.Errorf("contains %q twice, or not in order", shorten(f.Path))
		}
		if f.Link != "" {
			if f.Dir || f.Digest != "" || !utf8.ValidString(f.Link) || strings.ContainsRune(f.Link, 0) {
				return fmt.Errorf("contains %q, which is not a valid link", shorten(f.Path))
			}
			links[f.Path] = f.Link
		}
		if f.Dir && f.Digest != "" || f.Size < 0 {
			return fmt.Errorf("contains %q, which is both a file and a directory", shorten(f.Path))
		}
		leaves[f.Path] = true
	}
	for i := range t.Files {
		for dir := path.Dir(t.Files[i].Path); dir != "."; dir = path.Dir(dir) {
			if leaves[dir] {
				return fmt.Errorf("contains %q, and %q, which is not a directory with files", shorten(t.Files[i].Path), shorten(dir))
			}
		}
	}
	for at := range links {
		if err := checkLink(at, links); err != nil {
			return err
		}
	}
	return nil
}

// checkLink follows the link at `at` as the kernel would.
func checkLink(at string, links map[string]string) error {
	todo := strings.Split(at, "/")
	var done []string
	for hops := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(done) == 0 {
				return fmt.Errorf("contains the link %q to %q, which leads out of the directory", shorten(at), shorten(links[at]))
			}
			done = done[:len(done)-1]
			continue
		}
		target, ok := links[strings.Join(append(done, part), "/")]
		if !ok {
			done = append(done, part)
			continue
		}
		if hops++; hops > maxHops || len(target) > 4096 {
			return fmt.Errorf("contains the link %q, which leads in a circle", shorten(at))
		}
		if path.IsAbs(target) {
			return fmt.Errorf("contains the link %q to %q, which is not a relative path", shorten(at), shorten(target))
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return nil
}
