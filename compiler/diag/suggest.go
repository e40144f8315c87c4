package diag

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Suggest returns the name in among that was probably meant by name, or "" if none is similar: the one that differs only in
// case or in dashes and underscores, else the one with the fewest edits, else the one that starts with name, if it is the only
// one or all others continue it, as memory_limit continues memory. The order
// of the names doesn't matter.
func Suggest(name string, among []string) string {
	const same = -1 // the number of edits if only case or dashes differ
	limit := threshold(name)
	if limit == 0 {
		return ""
	}
	folded, length := fold(name), utf8.RuneCountInString(name)
	best, bestEdits := "", limit+1
	var longer []string
	for _, n := range among {
		if n == "" || n == name {
			continue
		}
		diff := utf8.RuneCountInString(n) - length
		starts := diff > 0 && length >= 3
		if !starts && max(diff, -diff) > bestEdits {
			continue // this skips most names quickly
		}
		other := fold(n)
		if starts && strings.HasPrefix(other, folded) {
			longer = append(longer, n)
		}
		edits := limit + 1
		switch {
		case other == folded:
			edits = same
		case bestEdits == same:
			continue
		case swapped(folded, other):
			edits = 1
		case max(diff, -diff) <= limit && unlike(folded, other) <= limit:
			edits = levenshtein.Distance(folded, other, nil)
		}
		if edits < bestEdits || edits == bestEdits && edits <= limit && n < best {
			best, bestEdits = n, edits
		}
	}
	if best == "" && len(longer) > 0 {
		shortest := slices.Min(longer) // a text is less than those that continue it
		if !slices.ContainsFunc(longer, func(n string) bool { return !strings.HasPrefix(n, shortest) }) {
			return shortest
		}
	}
	return best
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// unlike returns a quick lower bound of the edits between two names: how many kinds of bytes one has and the other lacks.
// It rules out most names of a large project. (A character beyond ASCII may count several times, which only makes the
// search slightly stricter for other scripts.)
func unlike(a, b string) int {
	x, y := kinds(a), kinds(b)
	return max(bits.OnesCount64(x&^y), bits.OnesCount64(y&^x))
}

func kinds(s string) (mask uint64) {
	for i := range len(s) {
		mask |= 1 << (s[i] & 63)
	}
	return mask
}

// swapped reports whether two neighboring characters are swapped, which is one mistake although it is two edits.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// threshold returns how many edits still count as a typing mistake: a third of the name, one for two letters, at most four.
func threshold(name string) int {
	n := utf8.RuneCountInString(name)
	if n < 2 {
		return 0
	}
	return min(max(1, n/3), 4)
}
