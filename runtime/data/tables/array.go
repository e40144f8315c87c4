package tables

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"pipec.dev/pipec/runtime/data/stats"
)

const (
	maxArrayHeader  = 1 << 20
	maxArrayColumns = 1024 // of a matrix with more, the elements are one column
)

// Each part of the header of a .npy file, which is a Python dict: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
var (
	arrayType  = regexp.MustCompile(`'descr':\s*'([^']*)'`)
	arrayOrder = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	arrayShape = regexp.MustCompile(`'shape':\s*\(([\d,\sL]*)\)`)
)

// readArray reads a .npy file. The columns of a matrix are the columns of the table; the elements of another array are one column.
func readArray(ctx context.Context, f io.ReadSeeker, size int64) (*stats.Table, *Array, error) {
	invalid := func(format string, args ...any) (*stats.Table, *Array, error) {
		return nil, nil, &Error{Format: NPY, Why: fmt.Sprintf(format, args...)}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(f, 1<<20)
	header, start, err := arrayHeader(r)
	if err != nil {
		return invalid("%v", err)
	}
	typ, order, shape := arrayType.FindStringSubmatch(header), arrayOrder.FindStringSubmatch(header), arrayShape.FindStringSubmatch(header)
	if order == nil || shape == nil {
		return invalid("its header is not valid")
	}
	a := &Array{Shape: []int64{}, DType: "structured"}
	if typ != nil {
		a.DType = typ[1]
	}
	n := int64(1)
	for part := range strings.SplitSeq(shape[1], ",") {
		if part = strings.Trim(part, " L"); part == "" {
			continue
		}
		d, err := strconv.ParseInt(part, 10, 64)
		if err != nil || d < 0 || d > 0 && n > math.MaxInt64/d {
			return invalid("its shape (%s) is not valid", shape[1])
		}
		a.Shape = append(a.Shape, d)
		n *= d
	}
	width, number := element(a.DType)
	if number == nil {
		t := &stats.Table{Rows: n, Columns: []stats.Column{{Name: "values", Kind: stats.Unsupported, Type: a.DType, Count: n}}}
		return t, a, nil
	}
	if n > (size-start)/int64(width) {
		return invalid("it is incomplete: expected %d elements of %d bytes, found %d bytes", n, width, size-start)
	}
	rows, columns := n, int64(1)
	if len(a.Shape) == 2 && a.Shape[1] > 0 && a.Shape[1] <= maxArrayColumns {
		rows, columns = a.Shape[0], a.Shape[1]
	}
	t, err := readElements(ctx, r, rows, columns, order[1] == "True", a.DType, width, number)
	return t, a, err
}

// arrayHeader returns the header, and where the elements start.
func arrayHeader(r io.Reader) (string, int64, error) {
	var fixed [10]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return "", 0, fmt.Errorf("its header is incomplete")
	}
	length, start := int64(binary.LittleEndian.Uint16(fixed[8:])), int64(10)
	if fixed[6] >= 2 {
		var more [2]byte
		if _, err := io.ReadFull(r, more[:]); err != nil {
			return "", 0, fmt.Errorf("its header is incomplete")
		}
		length, start = length|int64(binary.LittleEndian.Uint16(more[:]))<<16, 12
	}
	if length > maxArrayHeader {
		return "", 0, fmt.Errorf("its header has %d bytes", length)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return "", 0, fmt.Errorf("its header is incomplete")
	}
	return string(header), start + length, nil
}

func readElements(ctx context.Context, r io.Reader, rows, columns int64, byColumn bool, dtype string, width int, number func([]byte) float64) (*stats.Table, error) {
	kind, budget := stats.Numeric, stats.NewBudget(int(columns))
	if dtype[1] == 'b' {
		kind = stats.Boolean
	}
	builders := make([]*stats.Builder, columns)
	for i := range builders {
		name := "values"
		if columns > 1 {
			name = strconv.Itoa(i)
		}
		builders[i] = stats.NewBuilder(name, dtype, kind, budget)
	}
	buf := make([]byte, width)
	for i := range rows * columns {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			return nil, &Error{Format: NPY, Why: err.Error()}
		}
		b := builders[i%columns]
		if byColumn {
			b = builders[i/rows]
		}
		if kind == stats.Boolean {
			b.Bool(buf[0] != 0)
		} else {
			b.Number(number(buf))
		}
	}
	t := &stats.Table{Rows: rows, Columns: make([]stats.Column, columns)}
	for i, b := range builders {
		t.Columns[i] = b.Column()
	}
	return t, nil
}

// element returns the size of the elements of a type, and their conversion, or nil if they are not numbers.
func element(dtype string) (width int, number func([]byte) float64) {
	if len(dtype) < 3 {
		return 0, nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if dtype[0] == '>' {
		order = binary.BigEndian
	}
	switch dtype[1:] {
	case "b1", "u1":
		return 1, func(b []byte) float64 { return float64(b[0]) }
	case "i1":
		return 1, func(b []byte) float64 { return float64(int8(b[0])) }
	case "u2":
		return 2, func(b []byte) float64 { return float64(order.Uint16(b)) }
	case "i2":
		return 2, func(b []byte) float64 { return float64(int16(order.Uint16(b))) }
	case "f2":
		return 2, func(b []byte) float64 { return half(order.Uint16(b)) }
	case "u4":
		return 4, func(b []byte) float64 { return float64(order.Uint32(b)) }
	case "i4":
		return 4, func(b []byte) float64 { return float64(int32(order.Uint32(b))) }
	case "f4":
		return 4, func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }
	case "u8":
		return 8, func(b []byte) float64 { return float64(order.Uint64(b)) }
	case "i8":
		return 8, func(b []byte) float64 { return float64(int64(order.Uint64(b))) }
	case "f8":
		return 8, func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }
	}
	return 0, nil
}
