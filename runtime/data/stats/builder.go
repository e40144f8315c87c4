package stats

import "math"

// Builder computes the statistics of one column. It is not safe for concurrent use.
type Builder struct {
	column  Column
	numbers numbers
	texts   texts
	bools   [2]int64
}

// Budget limits the memory of the builders of one dataset. The zero value is not usable; see NewBudget.
type Budget struct {
	values int   // numbers that each builder keeps exactly
	bytes  int64 // that are left for the texts of all builders
}

const (
	maxExact  = 1_000_000 // numbers, or different texts, that are kept of a column
	minExact  = 50_000
	maxValues = 32_000_000 // numbers that are kept of all columns at the same time: 256 MiB
	maxTexts  = 256 << 20  // bytes
)

// NewBudget returns the budget of builders for the columns that are read at the same time.
func NewBudget(columns int) *Budget {
	return &Budget{values: min(maxExact, max(minExact, maxValues/max(columns, 1))), bytes: maxTexts}
}

// NewBuilder returns a builder for a column. typ is its type in the file.
func NewBuilder(name, typ string, kind Kind, b *Budget) *Builder {
	return &Builder{column: Column{Name: name, Type: typ, Kind: kind}, numbers: newNumbers(b.values), texts: texts{budget: b}}
}

// Missing adds n missing values.
func (b *Builder) Missing(n int64) { b.column.Missing += n }

// Number adds a number, or a date as seconds since 1970. NaN is a missing value.
func (b *Builder) Number(v float64) {
	if math.IsNaN(v) {
		b.column.Missing++
		return
	}
	b.column.Count++
	b.numbers.add(v)
}

// Text adds a text. It keeps no reference to it.
func (b *Builder) Text(s []byte) {
	b.column.Count++
	b.texts.add(s, 1)
}

// Bool adds a boolean.
func (b *Builder) Bool(v bool) {
	b.column.Count++
	if v {
		b.bools[1]++
	} else {
		b.bools[0]++
	}
}

// Other adds a value of an unsupported column.
func (b *Builder) Other() { b.column.Count++ }

// Column returns the statistics. The builder can't be used afterwards.
func (b *Builder) Column() Column {
	c := &b.column
	switch {
	case c.Kind == Unsupported:
	case c.Count == 0:
		c.Kind = Empty
	case c.Kind == Boolean:
		for i, name := range []string{"false", "true"} {
			if b.bools[i] > 0 {
				c.Top = append(c.Top, Value{name, b.bools[i]})
			}
		}
		c.Unique = int64(len(c.Top))
		sortValues(c.Top)
	case c.Kind == Categorical:
		c.Top, c.Unique, c.Approximate = b.texts.done()
	default:
		c.Numbers, c.Unique, c.Approximate = b.numbers.done()
	}
	return *c
}
