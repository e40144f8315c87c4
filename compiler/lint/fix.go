package lint

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
)

// Fix applies the fixes of the diagnostics to a copy of the sources, and returns the files that change. Of overlapping
// fixes the first is applied; compiling again reports the remaining ones.
func Fix(ds []diag.Diagnostic, sources map[string][]byte) map[string][]byte {
	byFile := map[string][]diag.Fix{}
	for _, d := range ds {
		if d.Fix == nil {
			continue
		}
		if r := d.Fix.Range; r.Start.Byte >= 0 && r.Start.Byte <= r.End.Byte && r.End.Byte <= len(sources[r.Filename]) {
			byFile[r.Filename] = append(byFile[r.Filename], *d.Fix)
		}
	}
	out := map[string][]byte{}
	for name, fixes := range byFile {
		slices.SortStableFunc(fixes, func(a, b diag.Fix) int { return a.Range.Start.Byte - b.Range.Start.Byte })
		src, at := sources[name], 0
		var text []byte
		for i, f := range fixes {
			start, end := f.Range.Start.Byte, f.Range.End.Byte
			if start < at || i > 0 && f.Range == fixes[i-1].Range {
				continue
			}
			text = append(append(text, src[at:start]...), f.Text...)
			at = end
		}
		if text = append(text, src[at:]...); !bytes.Equal(text, src) {
			out[name] = text
		}
	}
	return out
}

// Remove returns d with a fix that deletes a range, with its whole lines if there is nothing else on them.
func (p *Pass) Remove(d diag.Diagnostic, at hcl.Range) diag.Diagnostic {
	src := p.Sources[at.Filename]
	if at.End.Byte > len(src) || at.Start.Byte > at.End.Byte {
		return d
	}
	start, end := at.Start.Byte, at.End.Byte
	for start > 0 && (src[start-1] == ' ' || src[start-1] == '\t') {
		start--
	}
	if rest := bytes.TrimLeft(src[end:], " \t"); (start == 0 || src[start-1] == '\n') && (len(rest) == 0 || rest[0] == '\n') {
		end = len(src) - len(rest)
		if len(rest) > 0 {
			end++
			at.End.Line, at.End.Column = at.End.Line+1, 1
		}
	}
	at.Start.Column -= at.Start.Byte - start // spaces are one column each
	at.Start.Byte, at.End.Byte = start, end
	return d.WithFix(at, "")
}
