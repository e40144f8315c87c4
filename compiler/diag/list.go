package diag

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// List collects diagnostics. Its zero value is empty and ready. It is not safe for use by several goroutines: give each
// its own, and add them together; the order in which that is done changes nothing.
type List struct {
	items  []Diagnostic
	errors int
}

// Add puts diagnostics on the list.
func (l *List) Add(ds ...Diagnostic) {
	for _, d := range ds {
		if d.Severity == Error {
			l.errors++
		}
	}
	l.items = append(l.items, ds...)
}

// AddList puts all that is on another list on this one.
func (l *List) AddList(other *List) {
	l.items = append(l.items, other.items...)
	l.errors += other.errors
}

// HasErrors says whether one of them is an error.
func (l *List) HasErrors() bool { return l.errors > 0 }

// Errors is how many of them are errors, before merging.
func (l *List) Errors() int { return l.errors }

// Len is how many they are, before merging.
func (l *List) Len() int { return len(l.items) }

// Sorted returns them by file, place and code, those about no place first. Those of one code and one range are merged:
// the first one's words, by order of the text, and the related places of all.
func (l *List) Sorted() []Diagnostic {
	out := slices.Clone(l.items)
	slices.SortStableFunc(out, compare)
	merged := out[:0]
	for i, d := range out {
		if n := len(merged); i > 0 && d.Code == merged[n-1].Code && d.Range == merged[n-1].Range {
			merged[n-1] = join(merged[n-1], d)
			continue
		}
		merged = append(merged, d)
	}
	for i := range merged {
		merged[i].Related = tidy(merged[i].Related)
	}
	return merged
}

// join takes from b what a lacks.
func join(a, b Diagnostic) Diagnostic {
	a.Related = append(a.Related[:len(a.Related):len(a.Related)], b.Related...)
	if rank(b.Severity) < rank(a.Severity) {
		a.Severity = b.Severity
	}
	if a.Detail == "" {
		a.Detail = b.Detail
	}
	if a.Suggestion == "" {
		a.Suggestion = b.Suggestion
	}
	if a.Fix == nil {
		a.Fix = b.Fix
	}
	return a
}

// tidy drops the second of two equal places, and keeps the order: it may tell a story, as that of a cycle does.
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
		slices.CompareFunc(a.Related, b.Related, compareRelated),
	)
}

func compareRelated(a, b Related) int {
	return cmp.Or(compareRange(a.Range, b.Range), cmp.Compare(a.Message, b.Message))
}

func compareRange(a, b hcl.Range) int {
	return cmp.Or(
		cmp.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Byte, b.Start.Byte),
		cmp.Compare(a.End.Byte, b.End.Byte),
		// Bytes may be missing or equal in a range made by hand; lines and columns then tell them apart.
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
