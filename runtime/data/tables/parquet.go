package tables

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"pipec.dev/pipec/runtime/data/stats"
)

// readParquet reads one column after another, so that only the values of one column are in memory.
func readParquet(ctx context.Context, f io.ReaderAt, size int64) (t *stats.Table, err error) {
	// The library panics on some damaged files.
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, &Error{Format: Parquet, Why: fmt.Sprintf("it is damaged: %v", p)}
		}
	}()
	pf, err := parquet.OpenFile(f, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, &Error{Format: Parquet, Why: err.Error()}
	}
	t = &stats.Table{Rows: pf.NumRows(), Columns: []stats.Column{}}
	if t.Rows < 0 {
		return nil, &Error{Format: Parquet, Why: fmt.Sprintf("it says that it has %d rows", t.Rows)}
	}
	for _, c := range pf.Root().Columns() {
		column, err := readColumn(ctx, pf, c)
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, &Error{Format: Parquet, Why: fmt.Sprintf("column %q: %v", c.Name(), err)}
		}
		t.Columns = append(t.Columns, column)
	}
	return t, nil
}

// readColumn reads a column of all row groups.
func readColumn(ctx context.Context, pf *parquet.File, c *parquet.Column) (stats.Column, error) {
	if !c.Leaf() || c.MaxRepetitionLevel() > 0 {
		return stats.Column{Name: c.Name(), Kind: stats.Unsupported, Type: nestedName(c), Count: pf.NumRows()}, nil
	}
	kind, add := converter(c.Type())
	b := stats.NewBuilder(c.Name(), c.Type().String(), kind, stats.NewBudget(1))
	values := make([]parquet.Value, 1024)
	rows := int64(0)
	for _, group := range pf.RowGroups() {
		chunks := group.ColumnChunks()
		if c.Index() >= len(chunks) {
			return stats.Column{}, errors.New("a row group lacks it")
		}
		n, err := readChunk(ctx, chunks[c.Index()], values, b, add)
		if err != nil {
			return stats.Column{}, err
		}
		rows += n
	}
	if rows != pf.NumRows() {
		return stats.Column{}, fmt.Errorf("expected %d rows, found %d", pf.NumRows(), rows)
	}
	return b.Column(), nil
}

func readChunk(ctx context.Context, chunk parquet.ColumnChunk, values []parquet.Value, b *stats.Builder, add func(*stats.Builder, *parquet.Value)) (int64, error) {
	pages := chunk.Pages()
	defer pages.Close()
	rows := int64(0)
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		n, err := readPage(ctx, page, values, b, add)
		parquet.Release(page)
		if rows += n; err != nil {
			return rows, err
		}
	}
}

func readPage(ctx context.Context, page parquet.Page, values []parquet.Value, b *stats.Builder, add func(*stats.Builder, *parquet.Value)) (int64, error) {
	rows, r := int64(0), page.Values()
	for {
		if ctx.Err() != nil {
			return rows, context.Cause(ctx)
		}
		n, err := r.ReadValues(values)
		for i := range values[:n] {
			if values[i].IsNull() {
				b.Missing(1)
			} else {
				add(b, &values[i])
			}
		}
		rows += int64(n)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		if n == 0 {
			return rows, io.ErrNoProgress
		}
	}
}

// nestedName returns the type of a column that consists of others.
func nestedName(c *parquet.Column) string {
	if t := c.Type(); t != nil && t.LogicalType() != nil {
		return t.String()
	}
	if c.Leaf() {
		return "repeated"
	}
	return "struct"
}
