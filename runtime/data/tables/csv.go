package tables

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/data/stats"
)

// checkEvery is after how many rows a reader looks whether it should stop.
const checkEvery = 4096

// readCSV reads a csv file with a line of names. The kind of a column follows from its cells, so the file is read a second time if
// a later cell doesn't fit the kind of the earlier ones. The columns in text are text, whatever their cells look like.
func readCSV(ctx context.Context, f io.ReadSeeker, text map[int]bool) (*stats.Table, error) {
	first := &csvPass{text: text, guess: map[int]stats.Kind{}}
	table, err := first.read(ctx, f)
	if err != nil || !first.again {
		return table, err
	}
	second := &csvPass{text: text, guess: first.guess, known: true}
	return second.read(ctx, f)
}

// csvPass reads the file once.
type csvPass struct {
	text  map[int]bool
	guess map[int]stats.Kind // the kinds of columns by position, as far as they are known
	known bool               // guess is final
	again bool               // a cell did not fit: only kinds are collected from here on

	columns []*csvColumn
}

// csvColumn is a column while it is read. It has no builder until there is a value.
type csvColumn struct {
	name    string
	kind    stats.Kind
	builder *stats.Builder
	missing int64
}

func (p *csvPass) read(ctx context.Context, f io.ReadSeeker) (*stats.Table, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	buffered := bufio.NewReaderSize(f, 1<<20)
	if bom, _ := buffered.Peek(3); string(bom) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(3)
	}
	r := csv.NewReader(buffered)
	r.ReuseRecord, r.FieldsPerRecord, r.LazyQuotes = true, -1, true
	head, err := r.Read()
	if err == io.EOF {
		return nil, &Error{Format: CSV, Why: "it is empty: expected a line of column names"}
	}
	if err != nil {
		return nil, csvFault(err)
	}
	budget := stats.NewBudget(len(head))
	for i, name := range head {
		if !utf8.ValidString(name) {
			return nil, &Error{Format: CSV, Line: 1, Why: fmt.Sprintf("the name of column %d is not valid UTF-8", i+1)}
		}
		p.columns = append(p.columns, &csvColumn{name: name, kind: p.guess[i]})
	}
	rows := int64(0)
	for ; ; rows++ {
		if rows%checkEvery == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		cells, err := r.Read()
		if err == io.EOF {
			return p.table(rows, budget), nil
		}
		if err != nil {
			return nil, csvFault(err)
		}
		if len(cells) > len(p.columns) {
			line, _ := r.FieldPos(0)
			return nil, &Error{Format: CSV, Line: line, Why: fmt.Sprintf("expected %d cells, found %d", len(p.columns), len(cells))}
		}
		for i, c := range p.columns {
			cell := ""
			if i < len(cells) {
				cell = cells[i]
			}
			p.cell(i, c, cell, budget)
		}
	}
}

func (p *csvPass) cell(i int, c *csvColumn, cell string, budget *stats.Budget) {
	if absent(cell) {
		if c.builder != nil {
			c.builder.Missing(1)
		} else {
			c.missing++
		}
		return
	}
	kind := c.kind
	if kind == "" && p.text[i] {
		kind = stats.Categorical
	}
	if kind == stats.Categorical && p.again {
		return
	}
	v := value{kind: kind, text: cell}
	if kind != stats.Categorical && !v.parse() {
		v.kind = stats.Categorical
	}
	if kind != "" && v.kind != kind {
		p.again = true
	}
	c.kind, p.guess[i] = v.kind, v.kind
	if p.again {
		return
	}
	if c.builder == nil {
		c.builder = stats.NewBuilder(c.name, "", c.kind, budget)
		c.builder.Missing(c.missing)
	}
	v.add(c.builder)
}

func (p *csvPass) table(rows int64, budget *stats.Budget) *stats.Table {
	t := &stats.Table{Rows: rows, Columns: make([]stats.Column, len(p.columns))}
	if p.again {
		return t
	}
	for i, c := range p.columns {
		if c.builder == nil {
			c.builder = stats.NewBuilder(c.name, "", stats.Empty, budget)
			c.builder.Missing(c.missing)
		}
		t.Columns[i] = c.builder.Column()
	}
	return t
}

func csvFault(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &Error{Format: CSV, Line: parse.Line, Why: parse.Err.Error()}
	}
	return err
}
