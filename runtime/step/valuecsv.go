package step

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// csvValue returns the value in a CSV file with a line of column names: its rows, the one row of an object or a map, or the
// column that key names.
func csvValue(data []byte, key string, t cty.Type) (value json.RawMessage, missing bool, why string) {
	if why := textFault(string(data)); why != "" {
		return nil, false, why
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	rows, err := r.ReadAll()
	switch {
	case err != nil:
		return nil, false, "the file is not valid CSV: " + err.Error()
	case len(rows) == 0:
		return nil, false, "the file is empty, and a CSV file starts with a line of column names"
	}
	header, rows := rows[0], rows[1:]
	many := t.IsListType() || t.IsSetType() || t.IsTupleType() || t == cty.DynamicPseudoType
	if !many && len(rows) != 1 {
		return nil, false, fmt.Sprintf("it has %d rows, and one is expected; declare a list for all of them", len(rows))
	}
	var out any
	if key != "" {
		i := slices.Index(header, key)
		if i < 0 {
			return nil, true, fmt.Sprintf("it has no column %q; its columns: %s", key, someOf(header))
		}
		column := make([]any, len(rows))
		for n, row := range rows {
			column[n] = cell(row[i], cellType(t, many))
		}
		out = column
		if !many {
			out = column[0]
		}
	} else {
		all := make([]any, len(rows))
		for n, row := range rows {
			all[n] = csvRow(header, row, cellType(t, many))
		}
		out = all
		if !many {
			out = all[0]
		}
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return nil, false, err.Error()
	}
	value, why = typedValue(encoded, t)
	return value, false, why
}

// cellType returns the type of a row, or of a cell of a column.
func cellType(t cty.Type, many bool) cty.Type {
	if !many {
		return t
	}
	if t.IsListType() || t.IsSetType() {
		return t.ElementType()
	}
	return cty.DynamicPseudoType
}

// csvRow returns a row as an object. An object has the columns that its type declares, and a map all of them.
func csvRow(header, row []string, t cty.Type) map[string]any {
	out := make(map[string]any, len(header))
	for i, name := range header {
		switch {
		case t.IsObjectType() && t.HasAttribute(name):
			out[name] = cell(row[i], t.AttributeType(name))
		case t.IsObjectType():
		case t.IsMapType():
			out[name] = cell(row[i], t.ElementType())
		default:
			out[name] = cell(row[i], cty.DynamicPseudoType)
		}
	}
	return out
}

// cell returns the value of a cell of a type. A cell that is empty is null, unless it is text. A cell that is not of the type is
// text, which is then reported.
func cell(text string, t cty.Type) any {
	if t == cty.String || t == cty.DynamicPseudoType {
		return text
	}
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		return nil
	case t == cty.Bool && strings.EqualFold(trimmed, "true"):
		return true
	case t == cty.Bool && strings.EqualFold(trimmed, "false"):
		return false
	case t == cty.Number && json.Valid([]byte(trimmed)):
		return json.RawMessage(trimmed)
	case t == cty.Number:
		if f, err := strconv.ParseFloat(trimmed, 64); err == nil && f-f == 0 {
			return f // .5 and 5. are not JSON; NaN and infinity are not numbers
		}
	}
	return text
}
