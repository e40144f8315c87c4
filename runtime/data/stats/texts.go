package stats

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/axiomhq/hyperloglog"
)

const (
	keptTop  = 1000 // values that a column keeps
	maxText  = 256  // bytes of a value; longer ones are shortened, with a digest
	textCost = 64   // bytes of memory for a text beside its own
)

// texts counts texts. When there are too many different ones, it drops the rare ones, and subtracts from all counts what the dropped
// ones may have had at most (Misra and Gries): a count is then too small by at most the sum of what was subtracted.
type texts struct {
	budget *Budget
	index  map[string]int // the place in counts
	counts []int64
	seen   *hyperloglog.Sketch // of all texts; nil until some were dropped
}

func (t *texts) add(s []byte, n int64) {
	if i, ok := t.index[string(s)]; ok {
		t.counts[i] += n
		return
	}
	key := string(s)
	if len(s) > maxText {
		key = shortened(key)
		if i, ok := t.index[key]; ok {
			t.counts[i] += n
			return
		}
	}
	if t.index == nil {
		t.index = map[string]int{}
	}
	if t.seen != nil {
		t.seen.Insert([]byte(key))
	}
	if len(t.index) >= maxExact+maxExact/20 || t.budget.bytes < 0 && len(t.index) >= 2*keptTop {
		t.prune()
	}
	t.budget.bytes -= int64(len(key)) + textCost
	t.index[key] = len(t.counts)
	t.counts = append(t.counts, n)
}

// shortened returns the start of a long text, and a digest that distinguishes it from others with this start.
func shortened(s string) string {
	sum := sha256.Sum256([]byte(s))
	end := maxText - 20
	for end > maxText-24 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "… #" + hex.EncodeToString(sum[:6])
}

// prune drops at least half of the texts.
func (t *texts) prune() {
	if t.seen == nil {
		t.seen = hyperloglog.New16()
		for key := range t.index {
			t.seen.Insert([]byte(key))
		}
	}
	sorted := slices.Clone(t.counts)
	slices.Sort(sorted)
	least := sorted[len(sorted)/2]
	kept, counts := map[string]int{}, []int64(nil)
	for key, i := range t.index {
		if n := t.counts[i] - least; n > 0 {
			kept[key] = len(counts)
			counts = append(counts, n)
		} else {
			t.budget.bytes += int64(len(key)) + textCost
		}
	}
	t.index, t.counts = kept, counts
}

func (t *texts) done() (top []Value, unique int64, approximate bool) {
	unique = int64(len(t.index))
	if t.seen != nil {
		unique, approximate = max(unique, int64(t.seen.Estimate())), true
	}
	top = make([]Value, 0, len(t.index))
	for key, i := range t.index {
		top = append(top, Value{key, t.counts[i]})
	}
	sortValues(top)
	top = slices.Clone(top[:min(len(top), keptTop)])
	for i := range top {
		top[i].Value = strings.ToValidUTF8(top[i].Value, "�")
	}
	t.index, t.counts = nil, nil
	return top, unique, approximate
}

func sortValues(v []Value) {
	slices.SortFunc(v, func(a, b Value) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value)) })
}
