package pipelines

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/compiler/python"
	"pipec.dev/pipec/schema/types"
)

// annotatedFunction is the function of a step, whose annotations declare types. function is nil if there is none, or if the
// text of its module leaves open what it is.
type annotatedFunction struct {
	functionCheck
	function *python.Function
}

// annotated returns the function of the step. A decorated function has the annotations of its decorator, which are unknown.
func (c stepCheck) annotated() annotatedFunction {
	out := annotatedFunction{functionCheck: functionCheck{stepCheck: c}}
	found, _ := c.module()
	if found == nil || found.Module == nil {
		return out
	}
	out.found, out.at = found, c.step.Block.Attr("python").Range()
	_, name, _ := strings.Cut(c.step.Python, ":")
	if f, _ := found.Module.Function(name); f != nil && !f.Decorated && !f.Generator {
		out.function = f
	}
	return out
}

// results returns what the annotation of the result declares.
func (f annotatedFunction) results() []python.Result {
	if f.function == nil {
		return nil
	}
	return f.found.Module.Results(f.function)
}

// outputs returns blocks for the outputs of a step that declares none: those whose names the annotation contains.
func (f annotatedFunction) outputs() []*decode.Block {
	var out []*decode.Block
	def := f.step.Block.Def.Block("output")
	for _, r := range f.results() {
		if !decode.ValidName(r.Name) {
			return nil
		}
		out = append(out, &decode.Block{Def: def, Label: r.Name, LabelRange: f.at, DefRange: f.at, Attrs: hcl.Attributes{}})
	}
	return out
}

// outputTypes returns the types of outputs that the annotation declares: by their names if it contains names, and otherwise in
// their order. Outputs that are not returned, and all that are unknown, have cty.NilType. It reports outputs that are declared with another type.
func (f annotatedFunction) outputTypes(blocks []*decode.Block) []cty.Type {
	out := make([]cty.Type, len(blocks))
	results := f.results()
	byName := map[string]*python.Result{}
	for i := range results {
		if r := &results[i]; r.Name != "" {
			byName[r.Name] = r
		}
	}
	var returned []int
	for i, b := range blocks {
		out[i] = cty.NilType
		if b.Attr("glob") == nil && b.Attr("file") == nil {
			returned = append(returned, i)
		}
	}
	for n, i := range returned {
		r := byName[pythonName(blocks[i].Label)]
		if len(byName) == 0 && len(results) == len(returned) {
			r = &results[n]
		}
		if r == nil {
			continue
		}
		out[i] = r.Type
		if e := blocks[i].Attr("type"); e != nil {
			f.compareOutput(blocks[i], e, r)
		}
	}
	return out
}

// compareOutput reports an output whose declared type the annotation contradicts.
func (f annotatedFunction) compareOutput(b *decode.Block, e hcl.Expression, r *python.Result) {
	var ignored diag.List // reported with the output
	declared, ok := evaluate.Type(e, &ignored)
	if !ok || !contradict(r.Type, declared) {
		return
	}
	f.diags.Add(diag.New("python-function", e.Range(), "output %q is %s, and %s returns %s", b.Label, types.Phrase(declared), f.step.Python, r.Text).
		WithRelated(f.rangeOf(f.function.Result.Start, f.function.Result.End), "the annotation is here").
		WithSuggestion("remove the type: it is declared by the annotation"))
}

// noType reports an output without a type.
func (c stepCheck) noType(b *decode.Block) {
	d := diag.New("missing", b.DefRange, "output %q requires `type`", b.Label)
	f := c.annotated()
	switch {
	case f.function == nil && c.step.Python != "" && c.code() == nil:
		d = d.WithDetail("The step has no `code`, so that the annotations of the function are not read.")
	case f.function == nil:
	case f.function.Result == nil:
		d = d.WithRelated(f.rangeOf(f.function.Start, f.function.End), "the function has no annotation of its result")
	default:
		d = d.WithRelated(f.rangeOf(f.function.Result.Start, f.function.Result.End), "this annotation doesn't declare a type for it")
	}
	c.diags.Add(d.WithSuggestion("write outputs = { %s = TYPE }, for example number, model or dataframe", b.Label))
}

// inputType returns the type of an input without a declared type: that of the annotation of its parameter, or else of the
// value. It reports a value that the annotation contradicts, and returns false.
func (f annotatedFunction) inputType(label string, v *model.Value, e hcl.Expression) (cty.Type, bool) {
	if f.function == nil {
		return v.Type, true
	}
	for i := range f.function.Params {
		p := &f.function.Params[i]
		if p.Text != pythonName(label) || p.Kind == python.Rest || p.Annotation == nil {
			continue
		}
		t := f.found.Module.Type(p.Annotation)
		if certain := f.form(p.Annotation, t); clash(certain, valueForm(v)) {
			f.contradicted(p, v, e)
			return cty.NilType, false
		}
		switch {
		case t == cty.NilType || f.fits(v, t):
			if t == cty.NilType || types.HasArtifact(t) && types.HasArtifact(v.Type) {
				return v.Type, true
			}
			return t, true
		case contradict(v.Type, t):
			f.contradicted(p, v, e)
			return cty.NilType, false
		}
	}
	return v.Type, true
}

// contradicted reports a value that the annotation of its parameter doesn't allow.
func (f annotatedFunction) contradicted(p *python.Param, v *model.Value, e hcl.Expression) {
	f.diags.Add(diag.New("python-function", e.Range(), "this is %s, and the parameter %q of %s is %s", types.Phrase(v.Type), p.Text, f.step.Python, p.Annotation).
		WithRelated(f.rangeOf(p.Annotation.Start, p.Annotation.End), "the annotation is here"))
}

// The forms of values in Python that no other value has.
const (
	listForm  = "list"
	dictForm  = "dict"
	modelForm = "model"
)

// form returns what is certain of the values that an annotation of type t allows; "": nothing.
func (f annotatedFunction) form(a *python.Annotation, t cty.Type) string {
	if t != cty.NilType {
		return containerForm(t)
	}
	return f.found.Module.Container(a)
}

// valueForm returns what is certain of the value that a function is given; "": nothing. A known value is converted where that is
// possible.
func valueForm(v *model.Value) string {
	if a, ok := types.AsArtifact(v.Type); ok && a.Kind == modelForm {
		return modelForm
	}
	if v.Const != cty.NilVal && v.Type.IsPrimitiveType() {
		return ""
	}
	return containerForm(v.Type)
}

func containerForm(t cty.Type) string {
	switch {
	case t == cty.NilType || t == cty.DynamicPseudoType:
		return ""
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		return listForm
	case t.IsMapType() || t.IsObjectType():
		return dictForm
	}
	return formOf(t)
}

// clash reports whether no value has both forms. A string that can be a number or a bool is left to contradict. A model can be a list or a
// dict of models.
func clash(annotation, value string) bool {
	switch {
	case annotation == "" || value == "" || annotation == value:
		return false
	case value == modelForm:
		return annotation != listForm && annotation != dictForm
	}
	return annotation == listForm || annotation == dictForm || value == listForm || value == dictForm
}

// fits reports whether a value can be assigned to a type.
func (f annotatedFunction) fits(v *model.Value, t cty.Type) bool {
	if v.Const != cty.NilVal {
		_, err := types.Convert(v.Written, t)
		return err == nil
	}
	return types.Assignable(v.Type, t) == nil
}

// contradict reports whether no value of one type can be one of the other: an annotation is often wider or narrower than the
// type of an artifact, as str for the path of a file.
func contradict(a, b cty.Type) bool {
	if a == cty.NilType || b == cty.NilType || a == cty.DynamicPseudoType || b == cty.DynamicPseudoType {
		return false
	}
	if a.IsListType() && b.IsListType() || a.IsMapType() && b.IsMapType() {
		return contradict(a.ElementType(), b.ElementType())
	}
	left, right := formOf(a), formOf(b)
	return left != "" && right != "" && left != right
}

// formOf returns what is certain of a type: which value it is, or the kind of an artifact that only its class can be.
func formOf(t cty.Type) string {
	if a, ok := types.AsArtifact(t); ok {
		switch a.Kind {
		case "dataframe", "ndarray", "image":
			return a.Kind
		}
		return ""
	}
	if t.IsPrimitiveType() {
		return t.FriendlyName()
	}
	return ""
}
