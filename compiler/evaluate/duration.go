package evaluate

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
)

// Duration returns a constant duration of 0 or more.
func (a *Attributes) Duration(b *decode.Block, name string) (time.Duration, bool) {
	e := b.Attr(name)
	if lit, ok := e.(*hclsyntax.LiteralValueExpr); ok && lit.Val.Type() == cty.Number && !lit.Val.IsNull() {
		text := strconv.Quote(lit.Val.AsBigFloat().Text('f', -1) + "s")
		a.diags.Add(diag.New("invalid-duration", e.Range(), "a duration must be text with a unit, found a number").
			WithSuggestion("write %s if you mean seconds", text))
		return 0, false
	}
	s, ok := a.String(b, name)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil && tooLong(s):
		a.diags.Add(diag.New("invalid-duration", e.Range(), "%q is too long: a duration can be at most 292 years", s))
	case err != nil:
		fault := diag.New("invalid-duration", e.Range(), "%q is not a duration", s).
			WithDetail(`Durations are written as numbers with units: "90s", "15m", "1h30m".`)
		if meant := meantDuration(s); meant != "" {
			fault = fault.WithSuggestion("did you mean %q?", meant)
		}
		a.diags.Add(fault)
	case d < 0:
		a.diags.Add(diag.New("invalid-duration", e.Range(), "a duration can't be negative"))
	default:
		return d, true
	}
	return 0, false
}

var goDuration = regexp.MustCompile(`^[+-]?([0-9]*\.?[0-9]*(ns|us|µs|ms|s|m|h))+$`)

func tooLong(s string) bool { return goDuration.MatchString(s) && strings.ContainsAny(s, "0123456789") }

var otherDuration = regexp.MustCompile(`^\s*([0-9]+)\s*([A-Za-z]*)\s*$`)

// meantDuration converts the most common other spellings of a duration: "30", "1 hour", "5 minutes", "2d".
func meantDuration(s string) string {
	m := otherDuration.FindStringSubmatch(s)
	if m == nil || len(m[1]) > 9 {
		return ""
	}
	n, _ := strconv.Atoi(m[1])
	switch strings.ToLower(m[2]) {
	case "", "sec", "secs", "second", "seconds":
		return m[1] + "s"
	case "min", "mins", "minute", "minutes":
		return m[1] + "m"
	case "hr", "hrs", "hour", "hours":
		return m[1] + "h"
	case "d", "day", "days":
		return strconv.Itoa(24*n) + "h"
	case "w", "week", "weeks":
		return strconv.Itoa(7*24*n) + "h"
	}
	return ""
}
