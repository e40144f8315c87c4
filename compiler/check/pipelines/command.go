package pipelines

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

var pythonFunction = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$`)

// python checks the function that a step runs.
func (c stepCheck) python() {
	text, ok := c.project.Attributes.String(c.step.Block, "python")
	if !ok {
		return
	}
	if !pythonFunction.MatchString(text) {
		d := diag.New("invalid-value", c.step.Block.Attr("python").Range(), "%q does not name a function", text).
			WithDetail(`A function is written as "module:function", for example "steps:train" for train in steps.py.`)
		if meant := meantFunction(text); meant != "" {
			d = d.WithSuggestion("did you mean %q?", meant)
		}
		c.diags.Add(d)
		return
	}
	c.step.Python = text
}

// meantFunction corrects common other ways to name a function: steps.train, src/steps.py:train, steps:train().
func meantFunction(text string) string {
	text = strings.TrimSuffix(text, "()")
	if i := strings.LastIndexByte(text, '.'); i > 0 && !strings.Contains(text, ":") {
		text = text[:i] + ":" + text[i+1:]
	}
	module, function, _ := strings.Cut(text, ":")
	module = strings.ReplaceAll(strings.TrimPrefix(strings.TrimSuffix(module, ".py"), "./"), "/", ".")
	if text = module + ":" + function; pythonFunction.MatchString(text) {
		return text
	}
	return ""
}

// command checks the command that a step runs.
func (c stepCheck) command(e hcl.Expression) {
	if tuple, ok := e.(*hclsyntax.TupleConsExpr); ok {
		good := true
		for _, part := range tuple.Exprs {
			v := c.values.Text(c.step, language.Own, part)
			if v != nil && holdsArtifact(v.Type) {
				c.artifactAsText(part)
				v = nil
			}
			good = c.arguments(v, part) && good
		}
		if !good {
			return
		}
	} else {
		v := c.values.Text(c.step, language.Own, e)
		switch {
		case v == nil || c.commandAsText(v, e) || !c.commandAsList(v, e):
			return
		case v.Const == cty.NilVal:
			c.step.CommandList = v
			return
		case !c.arguments(v, e):
			return
		}
	}
	switch first := c.step.Command; {
	case len(first) == 0:
		c.diags.Add(diag.New("invalid-value", e.Range(), "a command can't be an empty list"))
	case first[0].Const == cty.NilVal:
	case first[0].Const.AsString() == "":
		c.diags.Add(diag.New("invalid-value", e.Range(), "the program of a command can't be an empty string"))
	}
}

// arguments adds an element of the command, which is v, the value of e. It returns false if the element is invalid.
func (c stepCheck) arguments(v *model.Value, e hcl.Expression) bool {
	args, from, ok := c.values.Arguments(v, e)
	for i, arg := range args {
		c.noNUL(arg, from[i], "an argument")
	}
	c.step.Command, c.step.CommandFrom = append(c.step.Command, args...), append(c.step.CommandFrom, from...)
	return ok
}

// commandAsList reports a command that is neither a list nor any value.
func (c stepCheck) commandAsList(v *model.Value, e hcl.Expression) bool {
	if v.Type.IsListType() || v.Type.IsTupleType() {
		if m := types.IsArguments(v.Type); v.Const == cty.NilVal && m != nil {
			return c.values.Assign(v, cty.List(cty.String), e, hcl.Range{})
		}
		return true
	}
	return c.values.Assign(v, cty.List(cty.String), e, hcl.Range{})
}

// commandAsText reports a command that is written as one string.
func (c stepCheck) commandAsText(v *model.Value, e hcl.Expression) bool {
	if v.Type != cty.String {
		return false
	}
	d := diag.New("type-mismatch", e.Range(), "a command must be a list of a program and its arguments, and this is a string").
		WithDetail("Commands are not run by a shell.")
	if v.Const == cty.NilVal || v.Const.IsNull() {
		c.diags.Add(d.WithSuggestion(`write ["PROGRAM", "ARGUMENT"]`))
		return true
	}
	text := v.Const.AsString()
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = `"` + word + `"`
	}
	if strings.ContainsAny(text, "\"'`|&;<>(){}$*?~#\\\n") || len(words) == 0 || len(words) > 8 {
		d = d.WithSuggestion(`for a shell, write ["sh", "-c", "…"]`)
	} else {
		d = d.WithSuggestion("write [%s]", strings.Join(words, ", "))
	}
	c.diags.Add(d)
	return true
}

// noNUL reports a NUL character, which neither arguments nor the environment can contain.
func (c stepCheck) noNUL(v *model.Value, e hcl.Expression, what string) {
	if v.Const != cty.NilVal && v.Const.Type() == cty.String && strings.ContainsRune(v.Const.AsString(), 0) {
		c.diags.Add(diag.New("invalid-value", e.Range(), "%s can't contain a NUL character", what))
	}
}

// artifactAsText reports an artifact, or its handle, where text is expected.
func (c stepCheck) artifactAsText(e hclsyntax.Expression) {
	d := diag.New("artifact-in-string", e.Range(), "an artifact is not text")
	t, hclDiags := hcl.AbsTraversalForExpr(e)
	switch {
	case hclDiags.HasErrors():
	case t.RootName() == "step" || t.RootName() == "param" || t.RootName() == "each":
		d = d.WithDetail("Pass it to the step as an input. The step's command and env can then read input.NAME.path.")
	default:
		text := evaluate.Text(t)
		d.Summary = text + " is not text; its path is " + text + ".path"
		d = d.WithFix(e.Range(), text+".path").WithSuggestion("write %s.path", text)
	}
	c.diags.Add(d)
}
