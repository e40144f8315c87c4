package step

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"pipec.dev/pipec/schema/paths"
)

// match adds an entry that matches the glob. why explains that it can't be read.
func (m *matching) match(rel string, e fs.DirEntry) (why string) {
	exact := m.p.Match(rel)
	if !exact && (paths.ASCII(rel) || !m.p.MatchForm(rel)) {
		return ""
	}
	taken, why := m.take(rel, e)
	if taken && !exact {
		m.alike = append(m.alike, rel)
	}
	return why
}

// take adds a match if it can be a file of the output's type. Symbolic links are followed within the pattern's
// directory.
func (m *matching) take(rel string, e fs.DirEntry) (taken bool, why string) {
	full := filepath.Join(m.dir, rel)
	if e.Type()&fs.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(full)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			m.pass(rel, "is a symbolic link to a file that doesn't exist")
			return false, ""
		case err != nil:
			m.pass(rel, "is a symbolic link that can't be followed: "+plain(err))
			return false, ""
		case !within(m.dir, target):
			m.pass(rel, "is a symbolic link to a file outside "+m.place())
			return false, ""
		}
		full = target
	}
	info, err := os.Lstat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, "" // removed in the meantime
	case err != nil:
		return false, fmt.Sprintf("%s can't be read: %s", m.name(rel), plain(err))
	}
	mode := info.Mode()
	file, dir := m.elem.Kind != "directory", m.elem.Kind == "directory" || m.elem.Kind == "model"
	switch {
	case mode.IsRegular() && file, mode.IsDir() && dir:
		m.files = append(m.files, rel)
		if mode.IsRegular() && info.ModTime().Before(m.since.Add(-coarse)) {
			m.older++
		}
		return true, ""
	case mode.IsRegular(), mode.IsDir():
		if len(m.others) < maxMatches {
			m.others = append(m.others, rel)
		}
	default:
		m.pass(rel, "is a "+describeMode(mode))
	}
	return false, ""
}

func (m *matching) pass(rel, why string) {
	if len(m.passed) < maxMatches {
		m.passed = append(m.passed, m.name(rel)+" "+why)
	}
}

// prefer removes files that match only in the same Unicode form if another one that is equal in that form matches as it is.
// why names two files of which neither does.
func (m *matching) prefer() (why string) {
	if len(m.alike) == 0 {
		return ""
	}
	alike := make(map[string]string, len(m.alike)) // by their form
	for _, rel := range m.alike {
		form := paths.Form(rel)
		if other, ok := alike[form]; ok {
			return fmt.Sprintf("its glob %q matches the file %+q and the file %+q, which are equal as Unicode text: rename one of them",
				m.p.Text, min(rel, other), max(rel, other))
		}
		alike[form] = rel
	}
	known := make(map[string]bool, len(m.alike))
	for _, rel := range m.files {
		if !paths.ASCII(rel) {
			if form := paths.Form(rel); alike[form] != rel {
				known[form] = true
			}
		}
	}
	kept := m.files[:0]
	for _, rel := range m.files {
		if form := paths.Form(rel); known[form] && alike[form] == rel {
			m.passed = append(m.passed, fmt.Sprintf("%+q is equal to another match as Unicode text", rel))
			continue
		}
		kept = append(kept, rel)
	}
	m.files = kept
	return ""
}
