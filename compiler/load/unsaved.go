package load

import (
	"io/fs"
	"slices"
	"strings"
	"time"
)

// withUnsaved adds entries for unsaved texts whose files don't exist yet, and replaces entries of the same name by regular
// files.
func withUnsaved(entries []fs.DirEntry, unsaved map[string][]byte) []fs.DirEntry {
	if len(unsaved) == 0 {
		return entries
	}
	out := slices.DeleteFunc(slices.Clone(entries), func(e fs.DirEntry) bool { _, ok := unsaved[e.Name()]; return ok })
	for name, src := range unsaved {
		out = append(out, fs.FileInfoToDirEntry(text{name, int64(len(src))}))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

// text is an unsaved text as a file.
type text struct {
	name string
	size int64
}

func (t text) Name() string       { return t.name }
func (t text) Size() int64        { return t.size }
func (t text) Mode() fs.FileMode  { return 0o600 }
func (t text) ModTime() time.Time { return time.Time{} }
func (t text) IsDir() bool        { return false }
func (t text) Sys() any           { return nil }
