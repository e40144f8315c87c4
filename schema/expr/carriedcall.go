package expr

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/text/unicode/norm"

	"pipec.dev/pipec/schema/types"
)

// What functions do with the texts of their arguments. All others compute something else.
const (
	passesOn = iota + 1 // returns arguments, or parts of them
	cuts                // returns parts of strings, or joins them
	encodes             // returns JSON
	writes              // returns an argument as a string
	decodes             // returns the values of JSON
	reads               // computes something from the bytes of a string
)

var treatments = map[string]int{
	"chunklist": passesOn, "coalesce": passesOn, "coalescelist": passesOn, "compact": passesOn, "concat": passesOn, "distinct": passesOn,
	"element": passesOn, "flatten": passesOn, "keys": passesOn, "lookup": passesOn, "max": passesOn, "merge": passesOn, "min": passesOn, "one": passesOn,
	"reverse": passesOn, "setintersection": passesOn, "setproduct": passesOn, "setsubtract": passesOn, "setunion": passesOn,
	"slice": passesOn, "sort": passesOn, "tobool": passesOn, "tolist": passesOn, "tomap": passesOn, "tonumber": passesOn,
	"toset": passesOn, "try": passesOn, "values": passesOn, "zipmap": passesOn,

	"basename": cuts, "chomp": cuts, "dirname": cuts, "format": cuts, "formatlist": cuts, "indent": cuts, "join": cuts, "regex": cuts, "regexall": cuts, "replace": cuts,
	"split": cuts, "trim": cuts, "trimprefix": cuts, "trimspace": cuts, "trimsuffix": cuts,

	"templatefile": passesOn, "yamldecode": passesOn, // of package evaluate, whose results carry the texts of their numbers

	"jsondecode": decodes, "jsonencode": encodes, "tostring": writes,

	"base64decode": reads, "base64encode": reads, "sha256": reads, "urlencode": reads,
}

// arguments returns the arguments of a call: with their texts, if the function treats these.
func arguments(e *hclsyntax.FunctionCallExpr) []hclsyntax.Expression {
	kept := 0 // the arguments with texts that the result may have
	switch {
	case e.Name == "chunklist" || e.Name == "element" || e.Name == "slice":
		kept = 1 // the others are indexes
	case treatments[e.Name] != 0 || e.Name == "can":
		kept = len(e.Args)
	}
	args := make([]hclsyntax.Expression, len(e.Args))
	for i, arg := range e.Args {
		if i < kept {
			args[i] = carried(arg)
		} else {
			args[i] = computing(arg)
		}
	}
	return args
}

// call returns the node to evaluate instead of a call.
func call(e *hclsyntax.FunctionCallExpr) hclsyntax.Expression {
	switch treatments[e.Name] {
	case passesOn:
		return &passingCall{e}
	case cuts:
		return &cutting{e}
	case encodes:
		return &encoding{e}
	case writes:
		return &writing{e}
	case decodes:
		return &decoding{e}
	}
	return e
}

// passingCall is a call of a function that passes values on.
type passingCall struct{ *hclsyntax.FunctionCallExpr }

func (e *passingCall) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := e.FunctionCallExpr.Value(ctx)
	return types.Passed(v), diags
}

// evaluated returns the call with arguments that have been evaluated, and whether one carries a form.
func evaluated(e *hclsyntax.FunctionCallExpr, ctx *hcl.EvalContext) (args []*fixed, formed bool) {
	for _, arg := range e.Args {
		p := fix(arg, ctx)
		formed = formed || types.HasForms(p.v)
		args = append(args, p)
	}
	return args, formed
}

// only returns the argument of a call that has one.
func only(e *hclsyntax.FunctionCallExpr, args []*fixed) (cty.Value, bool) {
	switch {
	case len(args) != 1:
		return cty.NilVal, false
	case !e.ExpandFinal:
		return args[0].v, true
	}
	elems, _ := elements(args[0].v)
	if len(elems) != 1 {
		return cty.NilVal, false
	}
	return elems[0], true
}

// with returns the call with other arguments.
func with(e *hclsyntax.FunctionCallExpr, args []*fixed, value func(cty.Value) cty.Value) *hclsyntax.FunctionCallExpr {
	out := *e
	out.Args = make([]hclsyntax.Expression, len(args))
	for i, arg := range args {
		out.Args[i] = &fixed{arg.Expression, value(arg.v), arg.diags}
	}
	return &out
}

// cutting is a function that cuts or joins strings. It is called once more with strings that NFC doesn't change: each character that
// it would is another one, which Unicode leaves to private use. If the result then is the same text, it is the text byte for byte.
type cutting struct{ *hclsyntax.FunctionCallExpr }

func (e *cutting) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	args, formed := evaluated(e.FunctionCallExpr, ctx)
	v, diags := with(e.FunctionCallExpr, args, types.Computed).Value(ctx)
	if !formed || diags.HasErrors() || !v.IsWhollyKnown() {
		return v, diags
	}
	if as, ok := formatted(e.FunctionCallExpr, args); ok {
		if got, bad := with(e.FunctionCallExpr, as, types.Computed).Value(ctx); !bad.HasErrors() {
			v, args = got, as
		}
	}
	d := disguise{to: map[rune]rune{}, from: map[rune]rune{}}
	again := with(e.FunctionCallExpr, args, func(v cty.Value) cty.Value { return types.MapTexts(v, d.put) })
	if other, bad := again.Value(ctx); !bad.HasErrors() && !d.failed {
		v = types.WithTexts(v, other, d.remove)
	}
	return v, diags
}

// disguise replaces the characters that NFC may change.
type disguise struct {
	to, from map[rune]rune
	failed   bool // a text has such characters itself
}

const (
	firstPrivate = 0xf0000
	lastPrivate  = 0xffffd
)

func (d *disguise) put(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		p := norm.NFC.PropertiesString(string(r))
		switch {
		case r >= firstPrivate:
			d.failed = true
		case p.BoundaryBefore() && norm.NFC.IsNormalString(string(r)):
		default:
			if _, ok := d.to[r]; !ok {
				next := rune(firstPrivate + len(d.to))
				d.failed = d.failed || next > lastPrivate
				d.to[r], d.from[next] = next, r
			}
			r = d.to[r]
		}
		out = append(out, r)
	}
	return string(out)
}

func (d *disguise) remove(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if was, ok := d.from[r]; ok {
			r = was
		}
		out = append(out, r)
	}
	return string(out)
}

// encoding is jsonencode, which writes strings and numbers with their texts.
type encoding struct{ *hclsyntax.FunctionCallExpr }

func (e *encoding) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	args, formed := evaluated(e.FunctionCallExpr, ctx)
	v, diags := with(e.FunctionCallExpr, args, types.Computed).Value(ctx)
	if !formed || diags.HasErrors() || !v.IsKnown() {
		return v, diags
	}
	arg, ok := only(e.FunctionCallExpr, args)
	if !ok {
		return v, diags
	}
	data, err := types.ToJSON(arg)
	if err != nil {
		return v, diags
	}
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, data) // as without forms
	return types.Replaced(v, escaped.String()), diags
}

// writing is tostring, which writes a number as a template does.
type writing struct{ *hclsyntax.FunctionCallExpr }

func (e *writing) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	args, _ := evaluated(e.FunctionCallExpr, ctx)
	v, diags := with(e.FunctionCallExpr, args, types.Computed).Value(ctx)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() {
		return v, diags
	}
	if arg, ok := only(e.FunctionCallExpr, args); ok {
		if text, ok := types.InTemplate(arg); ok {
			v = types.Replaced(v, text)
		}
	}
	return v, diags
}

// decoding is jsondecode, whose result carries the texts of the JSON.
type decoding struct{ *hclsyntax.FunctionCallExpr }

func (e *decoding) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	args, _ := evaluated(e.FunctionCallExpr, ctx)
	own := ctx.NewChild() // the arguments have been evaluated, so that it replaces the function of this call alone
	own.Functions = decoders()
	return with(e.FunctionCallExpr, args, func(v cty.Value) cty.Value {
		if text, ok := types.InTemplate(v); ok {
			return types.Replaced(v, text)
		}
		return v
	}).Value(own)
}

// decoders returns the functions whose results carry the texts of what they decode, by name.
var decoders = sync.OnceValue(func() map[string]function.Function {
	return map[string]function.Function{"jsondecode": checked(jsonDecodeFunc(types.Decode), nil)}
})
