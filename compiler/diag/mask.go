package diag

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// Mask returns the sources with the text at the ranges replaced, so that it can't be read: a snippet of the line, or of a
// neighboring line, would carry a secret from a file into the log of a build. Lines and offsets don't change. The given
// sources are not modified.
func Mask(sources map[string][]byte, secrets []hcl.Range) map[string][]byte {
	if len(secrets) == 0 {
		return sources
	}
	out, indexed := maps.Clone(sources), map[string]*source{}
	for _, r := range secrets {
		text, ok := out[r.Filename]
		if !ok {
			continue
		}
		s := indexed[r.Filename]
		if s == nil {
			s = newSource(slices.Clone(text))
			indexed[r.Filename], out[r.Filename] = s, s.text
		}
		start, end := s.span(r)
		for i := start; i < end; i++ {
			if s.text[i] != '\n' && s.text[i] != '\r' {
				s.text[i] = '*'
			}
		}
	}
	return out
}
