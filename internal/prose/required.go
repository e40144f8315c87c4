package prose

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// required returns texts of which every match of a pattern contains at least one.
func required(pattern string) ([]string, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return literals(re), nil
}

// literals returns texts of which every match of re contains at least one; nil if there are no such texts.
func literals(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCapture, syntax.OpPlus:
		return literals(re.Sub[0])
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if l := literals(sub); shortest(l) > shortest(best) {
				best = l
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			l := literals(sub)
			if l == nil {
				return nil
			}
			all = append(all, l...)
		}
		return all
	}
	return nil
}

func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	return len(slices.MinFunc(texts, func(a, b string) int { return len(a) - len(b) }))
}

// possible reports whether the word may be in a text.
func (w Word) possible(text string) bool {
	return w.parts == nil || slices.ContainsFunc(w.parts, func(part string) bool { return strings.Contains(text, part) })
}
