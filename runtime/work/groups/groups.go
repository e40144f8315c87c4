// Package groups contains the concurrency groups of a project on this machine. A group is a directory with a file for each
// slot, PROJECT/.pipec/groups/NAME, and the holder of a slot has the lock of its file: see docs/internals/groups.md.
//
// The package assigns slots to runs, and makes runs wait for them. It does not decide when a run requests a slot or what the run
// does with it: see runtime/engine and runtime/local.
package groups

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/runtime/work/flock"
)

// Groups are the concurrency groups of a project.
type Groups struct {
	dir  work.Dir
	path string // the directory with the directories of the groups
}

// Of returns the groups of a project. It creates nothing.
func Of(dir work.Dir) Groups {
	return Groups{dir, filepath.Join(dir.Project(), ".pipec", "groups")}
}

// Group returns a group by its name, which must be valid in the language.
func (gs Groups) Group(name string) *Group {
	return &Group{dir: gs.dir, path: filepath.Join(gs.path, name), waiter: make(chan struct{}, 1)}
}

// ReleaseRun releases the slots of a run whose driver was killed. No process of the run may be left.
func (gs Groups) ReleaseRun(run string) error {
	names, err := fs.Glob(os.DirFS(gs.path), "*/[0-9]*") // the project's own path may contain characters that are special in a pattern
	if err != nil {
		return fmt.Errorf("the groups of the project: %w", err)
	}
	for _, name := range names {
		name = filepath.Join(gs.path, name)
		if h, known := holderOf(name); !known || h.Run != run {
			continue
		}
		f, free, err := flock.TryOpen(name)
		if err != nil || !free {
			continue
		}
		if h, known := readHolder(f); known && h.Run == run {
			_ = f.Truncate(0)
		}
		_ = f.Close()
	}
	return nil
}
