package step

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/program"
)

// expected describes the files that the type requires.
func (m *matching) expected() string {
	if m.elem.Kind == "directory" {
		return "directory"
	}
	return "file"
}

func (m *matching) where() string {
	if filepath.IsAbs(m.p.Dir) {
		return ""
	}
	return " in the step's working directory"
}

func (m *matching) place() string {
	if m.p.Dir == "." {
		return "the step's working directory"
	}
	return fmt.Sprintf("%q", m.p.Dir)
}

// name returns a file's path in the form of the pattern.
func (m *matching) name(rel string) string { return fmt.Sprintf("%q", path.Join(m.p.Dir, rel)) }

// list lists the first files, in a way that shows which of them differ only in their Unicode form.
func (m *matching) list(files []string) string {
	forms := map[string]int{}
	for _, rel := range files {
		if !paths.ASCII(rel) {
			forms[paths.Form(rel)]++
		}
	}
	var names []string
	for _, rel := range files[:min(len(files), maxNamed)] {
		if len(forms) > 0 && forms[paths.Form(rel)] > 1 {
			names = append(names, fmt.Sprintf("%+q", path.Join(m.p.Dir, rel)))
			continue
		}
		names = append(names, m.name(rel))
	}
	if len(files) > maxNamed {
		names = append(names, fmt.Sprintf("and %d more", len(files)-maxNamed))
	}
	return strings.Join(names, ", ")
}

// instead names matches that are not of the output's type, if there are no others.
func (m *matching) instead() string {
	switch {
	case len(m.others) > 0:
		return " (" + m.otherKind() + ")"
	case len(m.passed) > 0:
		return " (" + m.passed[0] + ")"
	}
	return ""
}

// otherKind names the matches of another kind.
func (m *matching) otherKind() string {
	slices.Sort(m.others)
	one, many := "file", "files"
	if m.expected() == "file" {
		one, many = "directory", "directories"
	}
	if len(m.others) == 1 {
		return fmt.Sprintf("it matches a %s: %s", one, m.list(m.others))
	}
	return fmt.Sprintf("it matches %d %s: %s", len(m.others), many, m.list(m.others))
}

// noteMatches logs matches that may be surprising.
func (a *attempt) noteMatches(out *program.Output, m *matching) {
	slices.Sort(m.passed)
	for i, what := range m.passed {
		if i == maxNamed {
			a.log.note("output %q: %d more files that match %q can't be stored", out.Name, len(m.passed)-maxNamed, m.p.Text)
			break
		}
		a.log.note("output %q: %s, and is not stored", out.Name, what)
	}
	if len(m.files) == 0 && len(m.others) > 0 {
		a.log.note("output %q is declared %s, but no %s matches its glob %q (%s)", out.Name, out.Type, m.expected(), m.p.Text, m.otherKind())
	}
	if m.older > 0 {
		a.log.note("output %q: %d of the %d files that match %q existed before the step started, according to their modification times",
			out.Name, m.older, len(m.files), m.p.Text)
	}
}
