package diag

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Suggest returns the one among the names given that was probably meant by name, or "" where none is near: one that
// differs in case, or only in dashes and underscores, else the one with the fewest edits, else one that name is the
// start of. The order of the names doesn't matter.
func Suggest(name string, among []string) string {
	if name == "" {
		return ""
	}
	names := slices.Sorted(slices.Values(among))
	fold := strings.NewReplacer("-", "_").Replace(strings.ToLower(name))
	best, bestEdits, prefix, prefixes := "", threshold(name)+1, "", 0
	for _, n := range names {
		if n == name || n == "" {
			continue
		}
		folded := strings.NewReplacer("-", "_").Replace(strings.ToLower(n))
		if folded == fold {
			return n
		}
		if strings.HasPrefix(folded, fold) && len(fold) >= 3 {
			prefix = n
			prefixes++
		}
		// Lengths that differ by more than the best are further away: most names are passed over by this alone.
		if diff := utf8.RuneCountInString(n) - utf8.RuneCountInString(name); max(diff, -diff) >= bestEdits {
			continue
		}
		if edits := levenshtein.Distance(fold, folded, nil); edits < bestEdits {
			best, bestEdits = n, edits
		}
	}
	if best == "" && prefixes == 1 {
		return prefix
	}
	return best
}

// threshold is how many edits are still a slip of the keyboard: a third of the name, at least one for two letters.
func threshold(name string) int {
	n := utf8.RuneCountInString(name)
	if n < 2 {
		return 0
	}
	return min(max(1, n/3), 4)
}
