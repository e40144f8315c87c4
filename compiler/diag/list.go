package diag

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// List collects diagnostics. Its zero value is empty and ready to use. It is not safe for concurrent use: give each
// goroutine its own List and join them. The order of joining doesn't matter.
type List struct {
	items  []Diagnostic
	errors int
}

// Add adds diagnostics to the list.
func (l *List) Add(ds ...Diagnostic) {
	for _, d := range ds {
		if d.Severity == Error {
			l.errors++
		}
		l.items = append(l.items, d.inYAML())
	}
}

// AddList adds all diagnostics of another list.
func (l *List) AddList(other *List) {
	l.items = append(l.items, other.items...)
	l.errors += other.errors
}

// Relate adds a range to the diagnostics that were added after the list had the length from.
func (l *List) Relate(from int, at hcl.Range, message string) {
	for i := from; i < len(l.items); i++ {
		l.items[i] = l.items[i].WithRelated(at, "%s", message)
	}
}

// HasErrors reports whether the list contains an error.
func (l *List) HasErrors() bool { return l.errors > 0 }

// Errors returns the number of errors, before merging.
func (l *List) Errors() int { return l.errors }

// Len returns the number of diagnostics, before merging.
func (l *List) Len() int { return len(l.items) }

// Sorted returns the diagnostics by file, position and code; those without a range come first. Diagnostics with one code
// and one range are merged: the first one's summary by order of the text, the different texts of the others below it, and
// all related ranges.
func (l *List) Sorted() []Diagnostic {
	out := slices.Clone(l.items)
	slices.SortStableFunc(out, compare)
	merged := out[:0]
	for i := 0; i < len(out); {
		n := i + 1
		for n < len(out) && out[n].Code == out[i].Code && out[n].Range == out[i].Range {
			n++
		}
		merged = append(merged, join(out[i:n]))
		i = n
	}
	return merged
}

// join merges diagnostics with one range, most severe first.
func join(ds []Diagnostic) Diagnostic {
	d := ds[0]
	if len(ds) == 1 {
		d.Related = tidy(d.Related)
		return d
	}
	d.Related = slices.Clone(d.Related)
	var also []string
	for i, o := range ds[1:] {
		d.Related = append(d.Related, o.Related...)
		if o.Summary != ds[i].Summary {
			also = append(also, "Also: "+o.Summary)
		}
		d.Detail = cmp.Or(d.Detail, o.Detail)
		d.Suggestion = cmp.Or(d.Suggestion, o.Suggestion)
		d.Fix = cmp.Or(d.Fix, o.Fix)
	}
	if d.Detail != "" {
		also = slices.Insert(also, 0, d.Detail)
	}
	d.Detail = strings.Join(also, "\n")
	d.Related = tidy(d.Related)
	return d
}

// tidy removes duplicate ranges and keeps the order, which may be meaningful, for example for a cycle.
func tidy(related []Related) []Related {
	if len(related) < 2 {
		return related
	}
	seen := make(map[Related]bool, len(related))
	var out []Related
	for _, r := range related {
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}

func compare(a, b Diagnostic) int {
	return cmp.Or(
		compareRange(a.Range, b.Range),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(rank(a.Severity), rank(b.Severity)),
		cmp.Compare(a.Summary, b.Summary),
		cmp.Compare(a.Detail, b.Detail),
		cmp.Compare(a.Suggestion, b.Suggestion),
		compareFix(a.Fix, b.Fix),
		slices.CompareFunc(a.Related, b.Related, compareRelated),
	)
}

func compareFix(a, b *Fix) int {
	if a == nil || b == nil {
		return cmp.Compare(btoi(a != nil), btoi(b != nil))
	}
	return cmp.Or(compareRange(a.Range, b.Range), cmp.Compare(a.Text, b.Text))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareRelated(a, b Related) int {
	return cmp.Or(compareRange(a.Range, b.Range), cmp.Compare(a.Message, b.Message))
}

// Before reports whether a range comes before another in the order of Sorted.
func Before(a, b hcl.Range) bool { return compareRange(a, b) < 0 }

func compareRange(a, b hcl.Range) int {
	return cmp.Or(
		cmp.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Byte, b.Start.Byte),
		cmp.Compare(a.End.Byte, b.End.Byte),
		// Bytes may be missing or equal in a range that was made by hand; lines and columns then decide.
		cmp.Compare(a.Start.Line, b.Start.Line),
		cmp.Compare(a.Start.Column, b.Start.Column),
		cmp.Compare(a.End.Line, b.End.Line),
		cmp.Compare(a.End.Column, b.End.Column),
	)
}

func rank(s Severity) int {
	switch s {
	case Error:
		return 0
	case Warning:
		return 1
	}
	return 2
}
