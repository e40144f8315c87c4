package diag

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
)

// DefaultLimit is how many errors, and how many warnings, a user is shown at once.
const DefaultLimit = 50

// Options configure the formats that people read.
type Options struct {
	Color bool
	Width int // line width in columns; 0: 100
	Limit int // how many errors, and how many warnings, are shown; 0: all

	Rules   []Code   // codes of the view besides Codes: the rules of a linter
	Version string   // of pipec
	Fails   Severity // the least severity that makes the command fail; "": Error
}

// code looks up a code.
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

// Format writes a view in one format.
type Format func(w io.Writer, v *View, o Options) error

// Formats are the formats by name.
var Formats = map[string]Format{
	"human":  Human,
	"json":   JSON,
	"sarif":  SARIF,
	"github": GitHub,
	"junit":  JUnit,
}

// JSON writes the complete view.
func JSON(w io.Writer, v *View, _ Options) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
