package library

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/types"
)

// identity returns a text that is equal only for equal values. It may contain secrets, and must never be shown.
func identity(values map[string]cty.Value) string {
	var b strings.Builder
	for _, name := range evaluate.Names(values) {
		v := values[name]
		b.WriteString(name)
		if evaluate.IsSensitive(v) {
			b.WriteString("!")
		}
		v, _ = types.Apart(v)
		data, err := types.ToJSON(v)
		if err != nil {
			data = []byte(v.GoString())
		}
		b.WriteString("\x00" + v.Type().GoString() + "\x00" + string(data) + "\x00")
	}
	return b.String()
}
