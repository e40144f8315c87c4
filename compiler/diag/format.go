package diag

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
)

// DefaultLimit is how many errors, and how many warnings, a person is shown at once.
const DefaultLimit = 50

// Options are how a format that people read is drawn.
type Options struct {
	Color bool
	Width int // columns to draw in; 0: 100
	Limit int // how many errors, and how many warnings, are shown; 0: all

	Rules   []Code   // what a view may have beside Codes: the rules of a linter
	Version string   // of pipec
	Fails   Severity // the least severity that makes the command fail; "": Error
}

// code finds what is known of a code.
func (o Options) code(name string) (Code, bool) {
	if c, ok := Lookup(name); ok {
		return c, true
	}
	i := slices.IndexFunc(o.Rules, func(c Code) bool { return c.Name == name })
	if i < 0 {
		return Code{}, false
	}
	return o.Rules[i], true
}

func (o Options) fails(s Severity) bool { return s.AtLeast(cmp.Or(o.Fails, Error)) }

// Format writes a view.
type Format func(w io.Writer, v *View, o Options) error

// Formats are the formats by name.
var Formats = map[string]Format{
	"human":  Human,
	"json":   JSON,
	"sarif":  SARIF,
	"github": GitHub,
	"junit":  JUnit,
}

// JSON writes the view itself, whole.
func JSON(w io.Writer, v *View, _ Options) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
