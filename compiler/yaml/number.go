package yaml

import (
	"math/big"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
)

// The numbers of YAML 1.2's core schema.
var (
	decimal  = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	other    = regexp.MustCompile(`^(0o[0-7]+|0x[0-9a-fA-F]+)$`)
	notFinal = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	octal    = regexp.MustCompile(`^[-+]?0[0-9]+$`)
)

func looksLikeNumber(s string) bool {
	if s == "" || s[0] != '.' && s[0] != '-' && s[0] != '+' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return decimal.MatchString(s) || other.MatchString(s) || notFinal.MatchString(s)
}

// number reads a number exactly.
func (r *reader) number(v *Value) bool {
	at := func() diag.Diagnostic {
		return diag.New("invalid-value", r.places.at(v.Start, v.End), "%s is not a number of the language", v.Text)
	}
	text := strings.TrimPrefix(v.Text, "+")
	switch {
	case notFinal.MatchString(text):
		r.tell(at().WithSuggestion("quote it if you mean text"))
		return false
	case octal.MatchString(text):
		d := at().WithDetail("Some readers of YAML read a number with a leading zero as octal, and others don't.")
		digits := strings.TrimLeft(strings.TrimPrefix(text, "-"), "0")
		if !strings.ContainsAny(digits, "89") && digits != "" && text[0] != '-' {
			d = d.WithSuggestion("write 0o%s for octal, %s for decimal, or quote it", digits, digits)
		} else {
			d = d.WithSuggestion("remove the zero, or quote it")
		}
		r.tell(d)
		return false
	case len(text) > expr.MaxDigits || exponentTooLong(text):
		r.tell(diag.New("too-large", r.places.at(v.Start, v.End), "this number is too long, or too large or small"))
		return false
	}
	text = inTens(text)
	n, err := cty.ParseNumberVal(text)
	if err != nil {
		r.tell(at())
		return false
	}
	v.Number, v.Text = n, text
	return true
}

// inTens returns a number as the language writes it: without a redundant sign, and in decimal.
func inTens(text string) string {
	text = strings.TrimPrefix(text, "+")
	if !other.MatchString(text) {
		return text
	}
	i, _ := new(big.Int).SetString(text, 0)
	return i.String()
}

// exponentTooLong reports an exponent with too many digits: numbers are exact, so a number with an exponent of thousands
// has thousands of digits.
func exponentTooLong(text string) bool {
	i := strings.IndexAny(text, "eE")
	return i >= 0 && !strings.HasPrefix(text, "0x") && len(strings.TrimLeft(text[i+1:], "+-")) > 3
}
