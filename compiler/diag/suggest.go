package diag

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Suggest returns the one among the names given that was probably meant by name, or "" where none is near: one that
// differs in case, or only in dashes and underscores, else the one with the fewest edits, else the only one that name is
// the start of. The order of the names doesn't matter.
func Suggest(name string, among []string) string {
	const same = -1 // edits, where only case or dashes differ
	limit := threshold(name)
	if limit == 0 {
		return ""
	}
	folded, length := fold(name), utf8.RuneCountInString(name)
	best, bestEdits := "", limit+1
	longer, longers := "", 0
	for _, n := range among {
		if n == "" || n == name {
			continue
		}
		diff := utf8.RuneCountInString(n) - length
		starts := diff > 0 && length >= 3
		if !starts && max(diff, -diff) > bestEdits {
			continue // most names are passed over by this alone
		}
		other := fold(n)
		if starts && strings.HasPrefix(other, folded) && n != longer {
			longer = n
			longers++
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
	if best == "" && longers == 1 {
		return longer
	}
	return best
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// unlike is a quick lower bound of the edits between two names: how many kinds of bytes one has and the other lacks. It
// passes over most names of a large project. (A character beyond ASCII may count as several, which only makes names in
// other scripts somewhat stricter.)
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

// swapped says whether two neighbours changed places, which is one slip though it is two edits.
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

// threshold is how many edits are still a slip of the keyboard: a third of the name, one of two letters, four at most.
func threshold(name string) int {
	n := utf8.RuneCountInString(name)
	if n < 2 {
		return 0
	}
	return min(max(1, n/3), 4)
}
