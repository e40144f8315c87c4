package tables

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"pipec.dev/pipec/runtime/data/stats"
)

func parse(t *testing.T, data []byte, description string) *Dataset {
	t.Helper()
	d, err := read(t.Context(), bytes.NewReader(data), int64(len(data)), description)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCSVKinds(t *testing.T) {
	for _, c := range []struct {
		name, cells string
		kind        stats.Kind
		count       int64
	}{
		{"numbers", "1,-2.5e3,inf,.5", stats.Numeric, 4},
		{"too large", "1e999", stats.Numeric, 1},
		{"booleans", "True,false,NaN", stats.Boolean, 2},
		{"dates", "2024-02-29,NaT,2024-02-28", stats.Date, 2},
		{"times", "2024-02-29 12:00:00,2024-02-29T12:00:00.5+01:00", stats.Date, 2},
		{"no such date", "2024-02-30", stats.Categorical, 1},
		{"Go's numbers", "0x10,1_000", stats.Categorical, 2},
		{"a late text", "1,2,x,NA", stats.Categorical, 3},
		{"a late number", "x,1", stats.Categorical, 2},
		{"a late boolean", "1,True", stats.Categorical, 2},
		{"missing", "NA,None,null,<NA>", stats.Empty, 0},
		{"Unicode", "日本,𝒳,é", stats.Categorical, 3},
	} {
		rows := "\ufeffk,x\n"
		for cell := range strings.SplitSeq(c.cells, ",") {
			rows += "1," + cell + "\n"
		}
		got := parse(t, []byte(rows), "").Table.Columns
		if got[0].Name != "k" || got[1].Kind != c.kind || got[1].Count != c.count {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	text := parse(t, []byte("a,b\n01,2\n02,3\n"), `{"types": [["0", {"object": "str"}], ["1", "int64"]]}`).Table.Columns
	if text[0].Kind != stats.Categorical || text[0].Top[0].Value != "01" || text[1].Kind != stats.Numeric {
		t.Errorf("%+v", text)
	}
	if e := parse(t, []byte("a,b\n"), "").Table; e.Rows != 0 || e.Columns[0].Kind != stats.Empty {
		t.Errorf("%+v", e)
	}
}

func TestParquet(t *testing.T) {
	type row struct {
		I int64     `parquet:"i"`
		U uint32    `parquet:"u"`
		F *float64  `parquet:"f,optional"`
		S string    `parquet:"s,dict"`
		B bool      `parquet:"b"`
		T time.Time `parquet:"t,timestamp(microsecond)"`
		D int64     `parquet:"d,decimal(2:18)"`
		L []int32   `parquet:"l,list"`
		N struct{ X int32 }
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file, parquet.MaxRowsPerRowGroup(300))
	for i := range 1000 {
		r := row{I: int64(i), U: math.MaxUint32, S: string(rune('a' + i%3)), B: i%4 == 0, T: time.Unix(int64(i), 0).UTC(), D: 150, L: []int32{1, 2}}
		if i%2 == 0 {
			v := float64(i)
			r.F = &v
		}
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d := parse(t, file.Bytes(), "")
	if d.Format != Parquet || d.Table.Rows != 1000 {
		t.Fatalf("%s, %d rows", d.Format, d.Table.Rows)
	}
	by := map[string]stats.Column{}
	for _, c := range d.Table.Columns {
		by[c.Name] = c
	}
	for _, c := range []struct {
		name           string
		kind           stats.Kind
		missing, count int64
		mean           float64
	}{
		{"i", stats.Numeric, 0, 1000, 499.5}, {"u", stats.Numeric, 0, 1000, math.MaxUint32}, {"f", stats.Numeric, 500, 500, 499},
		{"s", stats.Categorical, 0, 1000, 0}, {"b", stats.Boolean, 0, 1000, 0}, {"t", stats.Date, 0, 1000, 499.5}, {"d", stats.Numeric, 0, 1000, 1.5},
		{"l", stats.Unsupported, 0, 1000, 0}, {"N", stats.Unsupported, 0, 1000, 0},
	} {
		got := by[c.name]
		if got.Kind != c.kind || got.Missing != c.missing || got.Count != c.count {
			t.Errorf("%s: %+v", c.name, got.Brief())
		}
		if got.Numbers != nil && math.Abs(float64(got.Numbers.Mean)-c.mean) > 1e-6 {
			t.Errorf("%s: mean %v, expected %v", c.name, got.Numbers.Mean, c.mean)
		}
	}
	if v := by["s"].Top[0]; v.Value != "a" || v.Count != 334 {
		t.Errorf("top %v", v)
	}
	for cut := 4; cut < file.Len(); cut += 997 { // an incomplete file is an error, and no panic
		data := file.Bytes()[:cut]
		var invalid *Error
		if _, err := read(t.Context(), bytes.NewReader(data), int64(cut), ""); !errors.As(err, &invalid) {
			t.Errorf("%d bytes: %v", cut, err)
		}
	}
}

// npy returns a .npy file.
func npy(header string, values any) []byte {
	b := bytes.NewBufferString("\x93NUMPY\x01\x00")
	_ = binary.Write(b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	_ = binary.Write(b, binary.LittleEndian, values)
	return b.Bytes()
}

func TestArrays(t *testing.T) {
	six := []float64{1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		header  string
		values  any
		columns int
		mean    float64 // of the first column
	}{
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", six, 2, 3},
		{"{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }", six, 2, 2},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", six, 1, 3.5},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3), }", six, 1, 3.5},
		{"{'descr': '<i2', 'fortran_order': False, 'shape': (), }", []int16{-7}, 1, -7},
		{"{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }", []uint16{0x3c00, 0xc000}, 1, -0.5},
	} {
		d := parse(t, npy(c.header, c.values), "")
		if len(d.Table.Columns) != c.columns || float64(d.Table.Columns[0].Numbers.Mean) != c.mean {
			t.Errorf("%s: %+v", c.header, d.Table.Brief())
		}
	}
	if d := parse(t, npy("{'descr': '<U3', 'fortran_order': False, 'shape': (6,), }", six), ""); d.Table.Columns[0].Kind != stats.Unsupported {
		t.Errorf("%+v", d.Table)
	}
	for _, header := range []string{"", "{'descr': '<f8', 'fortran_order': False, 'shape': (7,), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 3), }"} {
		data := npy(header, six)
		var invalid *Error
		if _, err := read(t.Context(), bytes.NewReader(data), int64(len(data)), ""); !errors.As(err, &invalid) {
			t.Errorf("%q: %v", header, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a,b\n1,x\n,\"y\nz\"\n2024-01-01,True\n"))
	f.Add(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", []float64{1, 2, 3, 4, 5, 6}))
	var file bytes.Buffer
	w := parquet.NewGenericWriter[struct {
		A int64
		B *string
		C []float64
	}](&file)
	_ = w.Close()
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := read(t.Context(), bytes.NewReader(data), int64(len(data)), "")
		if err != nil {
			return
		}
		for _, c := range d.Table.Columns {
			if c.Count+c.Missing != d.Table.Rows && c.Kind != stats.Unsupported {
				t.Errorf("%s has %d values and %d missing, of %d rows", c.Name, c.Count, c.Missing, d.Table.Rows)
			}
		}
	})
}
