package pipelines

import (
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// script checks the Python script that a step runs, and its options.
func (c stepCheck) script() {
	if text, ok := c.project.Attributes.String(c.step.Block, "script"); ok {
		c.step.Script = c.scriptPath(text, c.step.Block.Attr("script").Range())
	}
	if e := c.step.Block.Attr("args"); e != nil {
		c.args(e)
	}
}

// scriptPath returns the path of a script as the process reads it. A relative one is in the step's code, or else in the project.
func (c stepCheck) scriptPath(text string, at hcl.Range) string {
	clean := path.Clean(filepath.ToSlash(text))
	switch {
	case text == "":
		c.diags.Add(diag.New("invalid-value", at, "the path of a script can't be empty"))
		return ""
	case path.IsAbs(clean):
		return clean
	case !filepath.IsLocal(filepath.FromSlash(clean)):
		c.diags.Add(diag.New("file-access", at, "%q is outside the step's code", text))
		return ""
	}
	dir := ""
	if code := c.code(); code != nil {
		dir = code.Dir
	}
	found, err := evaluate.Lookup(c.project.Dir, path.Join(dir, clean))
	if err != nil {
		c.diags.Add(diag.New("file-access", at, "%v", err))
		return ""
	}
	root, err := os.OpenRoot(c.project.Dir)
	if err != nil {
		return clean // the source exists only in memory
	}
	defer root.Close()
	switch info, err := root.Stat(filepath.FromSlash(found)); {
	case err != nil:
		c.noScript(text, dir, at, root)
	case !info.Mode().IsRegular():
		c.diags.Add(diag.New("file-access", at, "%q is not a file", found))
	}
	if rel, err := filepath.Rel(filepath.Join(".", filepath.FromSlash(dir)), filepath.FromSlash(found)); err == nil {
		return filepath.ToSlash(rel) // as the file system writes it
	}
	return clean
}

// noScript reports that there is no script in a directory of the project; "": in the project's own.
func (c stepCheck) noScript(text, dir string, at hcl.Range, root *os.Root) {
	if dir == "" {
		c.diags.Add(diag.New("file-access", at, "there is no script %q in the project", text).
			WithDetail("A script is a file of the step's `code`, or else of the project. A file of the step's image has an absolute path."))
		return
	}
	d := diag.New("file-access", at, "there is no script %q in %s, the directory of the step's code", text, dir).
		WithRelated(c.code().Block.LabelRange, "the code is declared here")
	if inside, err := filepath.Rel(filepath.FromSlash(dir), filepath.FromSlash(text)); err == nil && filepath.IsLocal(inside) {
		if _, err := root.Stat(filepath.Join(filepath.FromSlash(dir), inside)); err == nil {
			d = d.WithSuggestion("write %q: the path is relative to the directory of the code", filepath.ToSlash(inside))
		}
	}
	c.diags.Add(d)
}

// args checks the options of a script. Types that are known only at run time are checked then.
func (c stepCheck) args(e hcl.Expression) {
	if x, ok := e.(*hclsyntax.LiteralValueExpr); ok && x.Val.IsNull() {
		return
	}
	value := c.values.Value
	if x, ok := e.(hclsyntax.Expression); ok && isList(x) {
		value = c.values.Text // as in a command: "${param.depth}" is a string
	}
	v := value(c.step, language.Own, e)
	if v == nil {
		return
	}
	good := true
	switch t := v.Type; {
	case t.IsObjectType():
		for _, name := range evaluate.Names(t.AttributeTypes()) {
			good = c.option(name, t.AttributeType(name), evaluate.Part(e, name)) && good
		}
	case t.IsMapType():
		good = c.option("", t.ElementType(), e)
	case t.IsTupleType():
		for i, elem := range t.TupleElementTypes() {
			good = c.option("", elem, evaluate.Element(e, i)) && good
		}
	case t.IsListType() || t.IsSetType():
		good = c.option("", t.ElementType(), e)
	case t == cty.DynamicPseudoType:
	default:
		good = false
		c.diags.Add(diag.New("type-mismatch", e.Range(), "`args` must be a map of options or a list of strings, found %s", types.Phrase(t)).
			WithSuggestion("write args = { NAME = value }"))
	}
	if good {
		c.step.Args = v
	}
}

// option reports whether an option, or an element of a list, can have a type, after reporting one that can't. name is "" for an element.
func (c stepCheck) option(name string, t cty.Type, e hcl.Expression) bool {
	if isTexts(t) {
		return true
	}
	x, ok := e.(hclsyntax.Expression)
	switch {
	case ok && holdsArtifact(t):
		c.artifactAsText(x)
	case name == "":
		c.diags.Add(diag.New("type-mismatch", e.Range(), "an element of `args` is %s, and can only be a string, a number, a bool or a list of them", types.Phrase(t)).
			WithSuggestion("write jsonencode(…) to pass it as JSON"))
	default:
		c.diags.Add(diag.New("type-mismatch", e.Range(), "the option %q is %s, and can only be a string, a number, a bool or a list of them", name, types.Phrase(t)).
			WithSuggestion("write jsonencode(…) to pass it as JSON"))
	}
	return false
}

// isList reports whether an expression is a list that is written out.
func isList(e hclsyntax.Expression) bool {
	_, list := expr.Bare(e).(*hclsyntax.TupleConsExpr)
	return list
}

// isTexts reports whether the values of a type are arguments: text, or lists of arguments.
func isTexts(t cty.Type) bool {
	switch {
	case t.IsListType() || t.IsSetType():
		return isTexts(t.ElementType())
	case t.IsTupleType():
		return !slices.ContainsFunc(t.TupleElementTypes(), func(e cty.Type) bool { return !isTexts(e) })
	}
	return t.IsPrimitiveType() || t == cty.DynamicPseudoType
}
