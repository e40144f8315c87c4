package store

import "path"

// Preparer is a Store that writes faster where it was told before of what will be written.
type Preparer interface {
	// Prepare makes ready for objects whose keys start with dir and a slash. It may be left out, and may fail silently:
	// Put does what is missing.
	Prepare(dir string)
}

// Prepare makes the directory: on a busy disk that takes longer than all else that Put does.
func (l *Local) Prepare(dir string) {
	if CheckKey(dir) != nil || l.root.Mkdir(dir, 0o777) == nil {
		return
	}
	if l.root.Mkdir(path.Dir(dir), 0o777) == nil {
		_ = l.root.Mkdir(dir, 0o777)
		return
	}
	_ = l.root.MkdirAll(dir, 0o777)
}
