package evaluate

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
)

// Strings returns a constant list of strings.
func (a *Attributes) Strings(b *decode.Block, name string) []string {
	v, ok := a.Get(b, name, cty.List(cty.String))
	if !ok {
		return nil
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		out = append(out, e.AsString())
	}
	return out
}

// StringMap returns a constant map of strings.
func (a *Attributes) StringMap(b *decode.Block, name string) map[string]string {
	v, ok := a.Get(b, name, cty.Map(cty.String))
	if !ok {
		return nil
	}
	out := map[string]string{}
	for k, e := range v.AsValueMap() {
		out[k] = e.AsString()
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// ExitCodes returns a constant list of whole numbers from 0 to 255.
func (a *Attributes) ExitCodes(b *decode.Block, name string) []int {
	v, ok := a.Get(b, name, cty.List(cty.Number))
	if !ok {
		return nil
	}
	var out []int
	for i, e := range v.AsValueSlice() {
		n, accuracy := e.AsBigFloat().Int64()
		if accuracy != 0 || n < 0 || n > 255 {
			a.diags.Add(diag.New("invalid-value", Inner(b.Attr(name), fmt.Sprintf("[%d]", i)).Range(), "an exit code must be a whole number from 0 to 255, found %s", e.AsBigFloat().Text('g', 10)))
			continue
		}
		out = append(out, int(n))
	}
	return out
}
