package expr

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"pipec.dev/pipec/schema/types"
)

// byteOrderMark begins the files of some programs, such as Excel. It is not part of the text.
const byteOrderMark = "\ufeff"

func textParam() []function.Parameter {
	return []function.Parameter{{Name: "str", Type: cty.String}}
}

// jsonDecodeFunc loses no data: go-cty's own function drops one of two equal keys, and doesn't accept a key that is not
// normalized.
func jsonDecodeFunc(decode func(data []byte) (cty.Value, error)) function.Function {
	params := textParam()
	params[0].AllowMarked = true
	return function.New(&function.Spec{
		Description: stdlib.JSONDecodeFunc.Description(),
		Params:      params,
		// The type is found with the value, so that the text is decoded once. The compiler asks for the type of a call
		// with a text that it knows.
		Type: func(args []cty.Value) (cty.Type, error) { return cty.DynamicPseudoType, nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			out, err := decode([]byte(strings.TrimPrefix(types.Text(args[0]), byteOrderMark)))
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return out.WithSameMarks(types.Bare(args[0])), nil
		},
	})
}

// csvDecodeFunc leaves out a byte order mark, and reports columns whose names are equal.
func csvDecodeFunc() function.Function {
	return function.New(&function.Spec{
		Description: stdlib.CSVDecodeFunc.Description(),
		Params:      textParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			columns, err := header(table(args[0]))
			if err != nil {
				return cty.NilType, function.NewArgError(0, err)
			}
			attrs := make(map[string]cty.Type, len(columns))
			for _, name := range columns {
				attrs[name] = cty.String
			}
			return cty.List(cty.Object(attrs)), nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			r := table(args[0])
			columns, err := header(r)
			var rows []cty.Value
			for err == nil {
				var cells []string
				if cells, err = r.Read(); err != nil {
					break
				}
				row := make(map[string]cty.Value, len(cells))
				for i, cell := range cells {
					row[columns[i]] = cty.StringVal(cell)
				}
				rows = append(rows, cty.ObjectVal(row))
			}
			switch {
			case !errors.Is(err, io.EOF):
				return cty.NilVal, function.NewArgError(0, csvError(err))
			case len(rows) == 0:
				return cty.ListValEmpty(t.ElementType()), nil
			}
			return cty.ListVal(rows), nil
		},
	})
}

func table(v cty.Value) *csv.Reader {
	return csv.NewReader(strings.NewReader(strings.TrimPrefix(v.AsString(), byteOrderMark)))
}

// header reads the names of the columns, in the form that names of attributes have.
func header(r *csv.Reader) ([]string, error) {
	columns, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the text is empty: the first line must have the names of the columns")
	case err != nil:
		return nil, csvError(err)
	}
	columns = append([]string{}, columns...)
	seen := make(map[string]string, len(columns))
	for i, name := range columns {
		columns[i] = cty.NormalizeString(name)
		if first, ok := seen[columns[i]]; ok {
			return nil, equalNames("columns", first, name)
		}
		seen[columns[i]] = name
	}
	return columns, nil
}

func equalNames(what, first, second string) error {
	if first == second {
		return fmt.Errorf("two %s have the name %q", what, first)
	}
	return fmt.Errorf("two %s have names that are equal as Unicode text: %+q and %+q", what, first, second)
}

func csvError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("not valid CSV: line %d: %w", parse.Line, parse.Err)
	}
	return err
}
