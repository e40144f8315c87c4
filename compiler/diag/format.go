package diag

import (
	"encoding/json"
	"io"
)

// DefaultLimit is how many errors, and how many warnings, a person is shown at once.
const DefaultLimit = 50

// Options are how a format that people read is drawn.
type Options struct {
	Color bool
	Width int // columns to draw in; 0: 100
	Limit int // how many errors, and how many warnings, are shown; 0: all
}

// Format writes a view.
type Format func(w io.Writer, v *View, o Options) error

// Formats are the formats by name.
var Formats = map[string]Format{
	"human": Human,
	"json":  JSON,
}

// JSON writes the view itself, whole.
func JSON(w io.Writer, v *View, _ Options) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
