// Package stats computes statistics of columns in one pass and bounded memory. A Builder receives the values of a column, one by one,
// and returns a Column: exact up to a million values, and estimated by sketches beyond that.
//
// It reads no files: package tables passes values of files to it. Package drift compares two columns.
package stats

import (
	"encoding/json"
	"math"
)

// Kind is the kind of the values of a column.
type Kind string

// The kinds of columns.
const (
	Numeric     Kind = "numeric"
	Categorical Kind = "categorical" // text
	Boolean     Kind = "boolean"
	Date        Kind = "date"        // the numbers are seconds since 1970-01-01 UTC
	Empty       Kind = "empty"       // all values are missing
	Unsupported Kind = "unsupported" // such as lists; only rows are counted
)

// Table contains the statistics of a dataset.
type Table struct {
	Rows    int64    `json:"rows"`
	Columns []Column `json:"columns"`
}

// Column contains the statistics of a column.
type Column struct {
	Name    string `json:"name"`
	Kind    Kind   `json:"kind"`
	Type    string `json:"type,omitempty"` // as the file has it: int64, string, …; "" in csv
	Count   int64  `json:"count"`          // the values that are not missing
	Missing int64  `json:"missing"`
	Unique  int64  `json:"unique"`
	// Approximate reports that sketches have estimated the unique values, the quantiles, the histogram, and the counts of values.
	Approximate bool     `json:"approximate,omitempty"`
	Numbers     *Numbers `json:"numbers,omitempty"` // of numeric columns and dates
	Top         []Value  `json:"top,omitempty"`     // of categorical and boolean columns: the most frequent first
}

// Value is a value and how often it occurs.
type Value struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Numbers contains the statistics of numbers. All but Zeros and the infinite ones are those of the finite numbers.
type Numbers struct {
	Mean        Float    `json:"mean"`
	Deviation   Float    `json:"deviation"` // of a sample: divided by n-1
	Zeros       int64    `json:"zeros"`
	Min         Float    `json:"min"`
	Median      Float    `json:"median"`
	Max         Float    `json:"max"`
	Infinite    int64    `json:"infinite,omitempty"`         // plus infinity
	NegInfinite int64    `json:"negativeInfinite,omitempty"` // minus infinity
	Quantiles   []Float  `json:"quantiles,omitempty"`        // at Levels
	Histogram   []Bucket `json:"histogram,omitempty"`        // Buckets of equal width from Min to Max, or one if all numbers are equal
	// Points is the cumulative distribution of the finite numbers, at some of them in ascending order.
	Points []Point `json:"points,omitempty"`
}

// Bucket is a part of a histogram: the numbers from Low up to, but without, High. The last bucket includes High.
type Bucket struct {
	Low   Float `json:"low"`
	High  Float `json:"high"`
	Count Float `json:"count"` // not a whole number if it is estimated
}

// Point states that Count numbers are at most Value, and Own of them are equal to it. The other numbers between the point before and
// this one are not known.
type Point struct {
	Value Float `json:"v"`
	Count Float `json:"n"`
	Own   Float `json:"own,omitempty"`
}

// Levels are the levels of the quantiles. Between two numbers, a quantile is interpolated as numpy does by default.
var Levels = [...]float64{0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1}

// Float is a number that is null in JSON if it is not finite: the mean of no values, for example.
type Float float64

// MarshalJSON implements json.Marshaler.
func (f Float) MarshalJSON() ([]byte, error) {
	if v := float64(f); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *Float) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*f = Float(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(f))
}

// Brief returns the column without what only comparisons need: the distribution, and all but the ten most frequent values.
func (c *Column) Brief() Column {
	b := *c
	b.Top = b.Top[:min(len(b.Top), 10)]
	if c.Numbers != nil {
		n := *c.Numbers
		n.Points = nil
		b.Numbers = &n
	}
	return b
}

// Brief returns the table with brief columns.
func (t *Table) Brief() *Table {
	b := &Table{Rows: t.Rows, Columns: make([]Column, len(t.Columns))}
	for i := range t.Columns {
		b.Columns[i] = t.Columns[i].Brief()
	}
	return b
}
