package expr

import (
	"fmt"
	"math"
	"math/big"
	"regexp/syntax"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Limits of what a function returns, and of what it works on.
const (
	maxText     = 16 << 20 // bytes of a text
	maxElements = 100_000  // elements of setproduct
	maxWidth    = 10_000   // width or precision in a format
	maxParsed   = 4096     // digits that parseint reads
	maxPattern  = 10_000   // bytes of a regular expression
	maxMatching = 1 << 30  // steps of a regular expression's program, times the bytes of the text
)

// limits returns the limits of functions, by name.
func limits() map[string]limit {
	return map[string]limit{
		"format": formatLimit, "formatlist": formatLimit, "formatdate": dateLimit, "indent": indentLimit, "join": joinLimit,
		"log": logLimit, "parseint": parseLimit, "pow": powLimit, "range": rangeLimit, "regex": regexLimit, "regexall": regexLimit,
		"replace": replaceLimit, "setproduct": productLimit, "zipmap": zipmapLimit,
	}
}

// tooLong rejects a result of n bytes. n is a float64 so that it can't overflow.
func tooLong(n float64) error {
	if n > maxText {
		return fmt.Errorf("the result would have more than %d bytes", maxText)
	}
	return nil
}

func whole(i int, v cty.Value, least, most int64) (int64, error) {
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < least || n > most {
		return 0, function.NewArgErrorf(i, "expected a whole number from %d to %d", least, most)
	}
	return n, nil
}

func logLimit(args []cty.Value) error {
	for i, arg := range args {
		if arg.AsBigFloat().Sign() <= 0 {
			return function.NewArgErrorf(i, "expected a number greater than 0")
		}
	}
	if args[1].AsBigFloat().Cmp(big.NewFloat(1)) == 0 {
		return function.NewArgErrorf(1, "expected a base other than 1")
	}
	return nil
}

func powLimit(args []cty.Value) error {
	num, _ := args[0].AsBigFloat().Float64()
	power, _ := args[1].AsBigFloat().Float64()
	if _, _, ok := wholePower(args); ok && (num != 0 || power >= 0) {
		return nil
	}
	switch v := math.Pow(num, power); {
	case num == 0 && power < 0:
		return function.NewArgErrorf(1, "0 can't be raised to a negative power")
	case v == 0 && num != 0:
		return errSmall
	case math.IsNaN(v):
		return function.NewArgErrorf(1, "a negative number can only be raised to a whole number")
	case math.IsInf(v, 0):
		return errDigits
	}
	return nil
}

func parseLimit(args []cty.Value) error {
	if args[0].Type() == cty.String && len(args[0].AsString()) > maxParsed {
		return function.NewArgErrorf(0, "the text has more than %d characters", maxParsed)
	}
	return nil
}

func rangeLimit(args []cty.Value) error {
	if len(args) == 3 && args[2].AsBigFloat().Sign() == 0 {
		return function.NewArgErrorf(2, "the step must not be 0")
	}
	return nil
}

func indentLimit(args []cty.Value) error {
	spaces, err := whole(0, args[0], 0, maxText)
	if err != nil {
		return err
	}
	text := args[1].AsString()
	return tooLong(float64(len(text)) + float64(spaces)*float64(strings.Count(text, "\n")))
}

func replaceLimit(args []cty.Value) error {
	text, old, replacement := args[0].AsString(), args[1].AsString(), args[2].AsString()
	if len(replacement) <= len(old) {
		return nil
	}
	return tooLong(float64(len(text)) + float64(strings.Count(text, old))*float64(len(replacement)-len(old)))
}

func joinLimit(args []cty.Value) error {
	n := 0.0
	for _, list := range args[1:] {
		if !list.IsWhollyKnown() {
			return nil
		}
		n += float64(list.LengthInt())*float64(len(args[0].AsString())) + float64(size(list))
	}
	return tooLong(n)
}

func dateLimit(args []cty.Value) error {
	if len(args[0].AsString()) > maxPattern {
		return function.NewArgErrorf(0, "the format has more than %d bytes", maxPattern)
	}
	return nil
}

// formatLimit bounds widths, and estimates the size of the result.
func formatLimit(args []cty.Value) error {
	format := args[0].AsString()
	widths, verbs, ok := widths(format)
	if !ok {
		return function.NewArgErrorf(0, "a width or a precision can be at most %d", maxWidth)
	}
	rows, once, perRow := 1, 0, 0
	for _, arg := range args[1:] {
		if !arg.IsWhollyKnown() {
			return nil
		}
		if t := arg.Type(); t.IsListType() || t.IsSetType() || t.IsTupleType() {
			rows = max(rows, arg.LengthInt())
			once += size(arg)
		} else {
			perRow += size(arg)
		}
	}
	n := float64(once) + float64(rows)*float64(perRow)
	if strings.Contains(format, "[") { // %[1]s: a verb may write any argument
		n *= float64(verbs)
	}
	return tooLong(n + float64(rows)*float64(len(format)+widths))
}

// widths returns the sum of the widths and precisions in a format, and the number of its verbs; false: one is too large.
func widths(format string) (sum, verbs int, ok bool) {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		verbs++
		n := 0
		for ; i+1 < len(format) && strings.IndexByte(" +-#.[]0123456789", format[i+1]) >= 0; i++ {
			if c := format[i+1]; '0' <= c && c <= '9' {
				n = n*10 + int(c-'0')
			} else {
				sum, n = sum+n, 0
			}
			if n > maxWidth {
				return 0, 0, false
			}
		}
		sum += n
	}
	return sum, verbs, true
}

// size returns about how many bytes the text of a value has.
func size(v cty.Value) int {
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case v.IsNull() || !v.IsKnown() || t == cty.Bool:
		return 5
	case t == cty.String:
		return len(v.AsString())
	case t == cty.Number:
		return max(20, int(v.AsBigFloat().MinPrec())/3)
	case !v.CanIterateElements():
		return 0
	}
	n := 2
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		n += size(e) + 1
		if t.IsMapType() || t.IsObjectType() {
			n += len(k.AsString()) + 3
		}
	}
	return n
}

// regexLimit bounds what matching costs: Go's regular expressions take at most the size of the program times that of the
// text.
func regexLimit(args []cty.Value) error {
	pattern, text := args[0].AsString(), args[1].AsString()
	if len(pattern) > maxPattern {
		return function.NewArgErrorf(0, "the pattern has more than %d bytes", maxPattern)
	}
	if len(text) < 1<<16 {
		return nil
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil // the function reports it
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err == nil && float64(len(program.Inst))*float64(len(text)) > maxMatching {
		return function.NewArgErrorf(0, "matching this pattern with a text of %d bytes would take too long", len(text))
	}
	return nil
}

func productLimit(args []cty.Value) error {
	n := 1.0
	for i, arg := range args {
		t := arg.Type()
		if !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
			return function.NewArgErrorf(i, "expected a list or a set")
		}
		if !arg.Length().IsKnown() {
			return nil
		}
		n *= float64(arg.LengthInt())
	}
	if n*float64(len(args)) > 2*maxElements {
		return fmt.Errorf("the result would have more than %d elements", maxElements)
	}
	return nil
}

func zipmapLimit(args []cty.Value) error {
	if !args[0].IsWhollyKnown() {
		return nil
	}
	for it := args[0].ElementIterator(); it.Next(); {
		if i, key := it.Element(); key.IsNull() {
			return function.NewArgErrorf(0, "element %s is null", i.AsBigFloat().Text('f', 0))
		}
	}
	return nil
}
