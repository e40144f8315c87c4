package tables

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"pipec.dev/pipec/runtime/data/stats"
)

// adder passes a value to a builder.
type adder = func(*stats.Builder, *parquet.Value)

// converter returns the kind of a column, and how its values are added.
func converter(t parquet.Type) (stats.Kind, adder) {
	logical := t.LogicalType()
	if logical != nil {
		if kind, add := logicalConverter(t); add != nil {
			return kind, add
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return stats.Boolean, func(b *stats.Builder, v *parquet.Value) { b.Bool(v.Boolean()) }
	case parquet.Int32:
		return stats.Numeric, func(b *stats.Builder, v *parquet.Value) { b.Number(float64(v.Int32())) }
	case parquet.Int64:
		return stats.Numeric, func(b *stats.Builder, v *parquet.Value) { b.Number(float64(v.Int64())) }
	case parquet.Int96: // nanoseconds of the day, and the Julian day
		return stats.Date, func(b *stats.Builder, v *parquet.Value) {
			i := v.Int96()
			nanos := int64(i[1])<<32 | int64(i[0])
			b.Number((float64(i[2])-2440588)*86400 + float64(nanos)/1e9)
		}
	case parquet.Float:
		return stats.Numeric, func(b *stats.Builder, v *parquet.Value) { b.Number(float64(v.Float())) }
	case parquet.Double:
		return stats.Numeric, func(b *stats.Builder, v *parquet.Value) { b.Number(v.Double()) }
	case parquet.ByteArray:
		if logical == nil { // bytes, which may be pictures
			return stats.Unsupported, other
		}
		return stats.Categorical, text
	}
	return stats.Unsupported, other
}

func other(b *stats.Builder, _ *parquet.Value) { b.Other() }
func text(b *stats.Builder, v *parquet.Value)  { b.Text(v.ByteArray()) }

// logicalConverter returns no adder for types whose values are added like those of their physical type.
func logicalConverter(t parquet.Type) (stats.Kind, adder) {
	switch l := t.LogicalType().Value.(type) {
	case *format.StringType, *format.EnumType, *format.JsonType:
		if t.Kind() == parquet.ByteArray {
			return stats.Categorical, text
		}
	case *format.DateType:
		return stats.Date, func(b *stats.Builder, v *parquet.Value) { b.Number(float64(v.Int32()) * 86400) }
	case *format.TimestampType:
		unit := 1e9
		switch l.Unit.Value.(type) {
		case *format.MilliSeconds:
			unit = 1e3
		case *format.MicroSeconds:
			unit = 1e6
		}
		return stats.Date, func(b *stats.Builder, v *parquet.Value) { b.Number(float64(v.Int64()) / unit) }
	case *format.IntType:
		switch {
		case l.IsSigned:
		case t.Kind() == parquet.Int64:
			return stats.Numeric, func(b *stats.Builder, v *parquet.Value) { b.Number(float64(uint64(v.Int64()))) }
		default:
			return stats.Numeric, func(b *stats.Builder, v *parquet.Value) { b.Number(float64(uint32(v.Int32()))) }
		}
	case *format.DecimalType:
		return stats.Numeric, decimal(t.Kind(), int(l.Scale))
	case *format.Float16Type:
		return stats.Numeric, float16
	case *format.UUIDType:
		return stats.Unsupported, other
	case *format.NullType:
		return stats.Empty, other
	}
	return "", nil
}

// decimal adds decimal numbers.
func decimal(kind parquet.Kind, scale int) adder {
	unit := math.Pow10(scale)
	switch kind {
	case parquet.Int32:
		return func(b *stats.Builder, v *parquet.Value) { b.Number(float64(v.Int32()) / unit) }
	case parquet.Int64:
		return func(b *stats.Builder, v *parquet.Value) { b.Number(float64(v.Int64()) / unit) }
	}
	return func(b *stats.Builder, v *parquet.Value) { // two's complement, big endian
		data := v.ByteArray()
		n := new(big.Int).SetBytes(data)
		if len(data) > 0 && data[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
		}
		f, _ := new(big.Float).SetInt(n).Float64()
		b.Number(f / unit)
	}
}

func float16(b *stats.Builder, v *parquet.Value) {
	data := v.ByteArray()
	if len(data) != 2 {
		b.Missing(1)
		return
	}
	b.Number(half(binary.LittleEndian.Uint16(data)))
}

// half returns the number of the bits of a float16.
func half(bits uint16) float64 {
	sign, exponent, fraction := 1.0, int(bits>>10&0x1f), float64(bits&0x3ff)
	if bits>>15 == 1 {
		sign = -1
	}
	switch {
	case exponent == 0:
		return sign * math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		return math.Inf(int(sign))
	case exponent == 31:
		return math.NaN()
	}
	return sign * math.Ldexp(1+fraction/1024, exponent-15)
}
