package tables

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/data/stats"
)

// absent reports whether a cell of a csv file is a missing value. These are the texts for which pandas.read_csv returns NaN, by
// default.
func absent(cell string) bool {
	switch cell {
	case "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None",
		"n/a", "nan", "null", "NaT":
		return true
	}
	return false
}

// value is a cell, parsed.
type value struct {
	kind   stats.Kind // the kind to parse; parse sets it if it is ""
	text   string
	number float64
	bool   bool
}

// parse parses the text as the kind. If there is none, it finds one. It reports whether the text is a number, a boolean or a date.
func (v *value) parse() bool {
	switch v.kind {
	case stats.Numeric:
		return v.parseNumber()
	case stats.Boolean:
		return v.parseBool()
	case stats.Date:
		return v.parseDate()
	}
	switch {
	case v.parseNumber():
		v.kind = stats.Numeric
	case v.parseBool():
		v.kind = stats.Boolean
	case v.parseDate():
		v.kind = stats.Date
	default:
		return false
	}
	return true
}

func (v *value) parseNumber() bool {
	text := strings.Trim(v.text, " \t")
	if text == "" || strings.ContainsAny(text, "_xXpP") { // Go's own notations
		return false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		// A number that is too large is infinite, as in pandas.
		if e, ok := err.(*strconv.NumError); !ok || e.Err != strconv.ErrRange {
			return false
		}
	}
	v.number = n
	return true
}

func (v *value) parseBool() bool {
	switch v.text {
	case "true", "True", "TRUE":
		v.bool = true
	case "false", "False", "FALSE":
		v.bool = false
	default:
		return false
	}
	return true
}

// dateForms are ISO 8601's, without and with time.
var dateForms = []string{
	time.DateOnly, time.DateTime, "2006-01-02T15:04:05", time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04", "2006-01-02T15:04",
}

func (v *value) parseDate() bool {
	if len(v.text) < len(time.DateOnly) || v.text[4] != '-' {
		return false
	}
	for _, form := range dateForms {
		if t, err := time.Parse(form, v.text); err == nil {
			v.number = seconds(t)
			return true
		}
	}
	return false
}

func seconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }

func (v *value) add(b *stats.Builder) {
	switch v.kind {
	case stats.Categorical:
		b.Text([]byte(v.text))
	case stats.Boolean:
		b.Bool(v.bool)
	default:
		b.Number(v.number)
	}
}

// texts returns the positions of the columns that the description of a csv file declares as text. The Python runner writes the
// description: {"types": [["0-2,5", {"object": "str"}], …]}. A description that can't be read declares nothing.
func texts(description string) map[int]bool {
	var d struct {
		Types [][2]json.RawMessage `json:"types"`
	}
	if description == "" || json.Unmarshal([]byte(description), &d) != nil {
		return nil
	}
	out := map[int]bool{}
	for _, group := range d.Types {
		var positions string
		if json.Unmarshal(group[0], &positions) != nil || !textual(group[1]) {
			continue
		}
		for part := range strings.SplitSeq(positions, ",") {
			low, high, isRange := strings.Cut(part, "-")
			a, err := strconv.Atoi(low)
			b := a
			if isRange && err == nil {
				b, err = strconv.Atoi(high)
			}
			for i := a; err == nil && i <= min(b, a+1<<20); i++ {
				out[i] = true
			}
		}
	}
	return out
}

// textual reports whether the spec of a column of the Python runner means text or categories.
func textual(spec json.RawMessage) bool {
	var s struct {
		Object   string          `json:"object"`
		Category json.RawMessage `json:"category"`
	}
	return json.Unmarshal(spec, &s) == nil && (s.Object == "str" || s.Category != nil)
}
