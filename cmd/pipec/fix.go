package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
)

// mend writes what can certainly be mended into the files of a project, or into one of them, and says into which.
func (a *app) mend(p linted, only string) (changed bool, err error) {
	var ds []diag.Diagnostic
	for _, d := range p.report.Diags {
		if d.Fix != nil && (only == "" || d.Fix.Range.Filename == only) {
			ds = append(ds, d)
		}
	}
	files := lint.Fix(ds, p.result.Sources)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		raw, err := os.ReadFile(name)
		if err != nil {
			return changed, world(err)
		}
		if !bytes.Equal(unixLines(raw), p.result.Sources[name]) {
			return changed, world(fmt.Errorf("%s has changed while it was looked at, and was not mended", name))
		}
		text := files[name]
		if bytes.Contains(raw, []byte("\r\n")) { // a checkout on Windows stays one
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		}
		if err := replace(name, text); err != nil {
			return changed, world(err)
		}
		changed = true
		fmt.Fprintln(a.stderr, "mended "+name)
	}
	return changed, nil
}

// unixLines are the bytes as the compiler sees them.
func unixLines(src []byte) []byte { return bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")) }

// listRules lists the rules with their levels.
func (a *app) listRules(format string) error {
	if format != "human" {
		return usage("--rules lists for people, and has no other format")
	}
	width := 0
	for _, r := range lint.All() {
		width = max(width, len(r.Code))
	}
	for _, r := range lint.All() {
		if _, err := fmt.Fprintf(a.stdout, "%-*s  %-7s  %s\n", width, r.Code, r.Level, strings.ReplaceAll(r.Summary, "`", "")); err != nil {
			return world(err)
		}
	}
	return nil
}
