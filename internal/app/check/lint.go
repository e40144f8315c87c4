package check

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/files"
	"pipec.dev/pipec/internal/app/project"
)

// LintOptions say how projects are linted.
type LintOptions struct {
	Rules lint.Options // except for the lock, which is the project's
	Fix   bool         // write certain fixes to the files
	Fixed func(name string)
}

// Lint asks the linter's rules of the projects of the paths, beside what Validate reports.
func Lint(open Opener, paths []string, o LintOptions) (*Found, error) {
	l := linter{open: open, o: o, done: map[string]linted{}}
	out := &Found{Sources: map[string][]byte{}}
	for _, path := range paths {
		dir, only, err := project.Target(path)
		if err != nil {
			return nil, err
		}
		p, done := l.done[dir]
		if !done || o.Fix {
			if p, err = l.lint(dir, only); err != nil {
				return nil, err
			}
			l.done[dir] = p
		}
		out.add(diag.Mask(p.compiled.Sources, p.report.Secrets), p.report.Diags, only)
		out.Last = summarize(p.compiled.Result)
	}
	out.Projects = len(l.done)
	return out, nil
}

type linter struct {
	open Opener
	o    LintOptions
	done map[string]linted // by directory
}

// linted is a project that was linted.
type linted struct {
	compiled *project.Compiled
	report   lint.Report
}

// maxFixes is how often a project is fixed: one fix may reveal what another can fix.
const maxFixes = 10

// lint lints a project, and fixes it where that is asked for.
func (l *linter) lint(dir, only string) (linted, error) {
	p := l.open(dir)
	lock, err := p.Lock()
	if err != nil {
		return linted{}, err
	}
	options := l.o.Rules
	options.Lock = lock
	for round := 0; ; round++ {
		c, err := p.Compile(nil)
		if err != nil {
			return linted{}, err
		}
		out := linted{c, c.Lint(options)}
		if !l.o.Fix || round == maxFixes {
			return out, nil
		}
		changed, err := l.fix(out, only)
		if err != nil || !changed {
			return out, err
		}
	}
}

// fix writes certain fixes to the files of a project, or to one of them.
func (l *linter) fix(p linted, only string) (changed bool, err error) {
	var ds []diag.Diagnostic
	for _, d := range p.report.Diags {
		if d.Fix != nil && (only == "" || d.Fix.Range.Filename == only) {
			ds = append(ds, d)
		}
	}
	fixed := lint.Fix(ds, p.compiled.Sources)
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		raw, err := os.ReadFile(name)
		if err != nil {
			return changed, fault.Env(err)
		}
		if !bytes.Equal(unixLines(raw), p.compiled.Sources[name]) {
			return changed, fault.Env(fmt.Errorf("%s has changed while it was linted, and was not fixed", name))
		}
		text := fixed[name]
		if bytes.Contains(raw, []byte("\r\n")) { // a checkout on Windows stays one
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		}
		if err := files.Replace(name, text); err != nil {
			return changed, fault.Env(err)
		}
		changed = true
		if l.o.Fixed != nil {
			l.o.Fixed(name)
		}
	}
	return changed, nil
}

// unixLines returns a text with the ends of lines as the compiler reads them.
func unixLines(src []byte) []byte { return bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")) }
