package check

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

var pythonFunction = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$`)

func (c *checker) python(s *Step) {
	text, ok := c.world.String(s.Block, "python")
	if !ok {
		return
	}
	if !pythonFunction.MatchString(text) {
		d := diag.New("invalid-value", s.Block.Attr("python").Range(), "%q does not name a function", text).
			WithDetail(`It is written "module:function", such as "steps:train" for train in steps.py.`)
		if meant := meantFunction(text); meant != "" {
			d = d.WithSuggestion("did you mean %q?", meant)
		}
		c.diags.Add(d)
		return
	}
	s.Program.Python = text
	if len(s.Outputs) > 1 {
		for _, o := range s.Outputs {
			s.Program.OutputOrder = append(s.Program.OutputOrder, o.Block.Label)
		}
	}
}

// meantFunction reads the commonest other ways to name a function: steps.train, src/steps.py:train, steps:train().
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

func (c *checker) command(p *Pipeline, s *Step, e hcl.Expression) {
	if tuple, ok := e.(*hclsyntax.TupleConsExpr); ok {
		for _, part := range tuple.Exprs {
			v := c.value(p, s, language.Own, part)
			if v != nil && isHandleOrArtifact(v.Type) {
				c.artifactAsText(part)
			} else if c.wanted(v, cty.String, part, hcl.Range{}) {
				s.Command = append(s.Command, v)
				c.noNUL(v, part, "an argument")
			}
		}
		if len(tuple.Exprs) > len(s.Command) {
			return
		}
	} else {
		v := c.value(p, s, language.Own, e)
		if v == nil || c.commandAsText(v, e) || !c.wanted(v, cty.List(cty.String), e, hcl.Range{}) {
			return
		}
		if v.Const == cty.NilVal {
			s.CommandList = v
			return
		}
		for _, part := range v.Const.AsValueSlice() {
			s.Command = append(s.Command, &Value{Const: part, Type: cty.String})
			c.noNUL(s.Command[len(s.Command)-1], e, "an argument")
		}
	}
	switch first := s.Command; {
	case len(first) == 0:
		c.diags.Add(diag.New("invalid-value", e.Range(), "a command names its program, and this list is empty"))
	case first[0].Const != cty.NilVal && first[0].Const.AsString() == "":
		c.diags.Add(diag.New("invalid-value", e.Range(), "the command's program is an empty string"))
	}
}

// commandAsText tells a command that is written as one line.
func (c *checker) commandAsText(v *Value, e hcl.Expression) bool {
	if v.Type != cty.String {
		return false
	}
	d := diag.New("type-mismatch", e.Range(), "a command is a list of its program and arguments, and this is a string").
		WithDetail("No shell takes it apart.")
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

// noNUL tells a character that neither arguments nor the environment can hold.
func (c *checker) noNUL(v *Value, e hcl.Expression, what string) {
	if v.Const != cty.NilVal && strings.ContainsRune(v.Const.AsString(), 0) {
		c.diags.Add(diag.New("invalid-value", e.Range(), "%s can't hold a NUL character", what))
	}
}

func isHandleOrArtifact(t cty.Type) bool {
	return types.HasArtifact(t) || t.IsObjectType() && t.HasAttribute("path") && len(t.AttributeTypes()) == 1
}

func (c *checker) artifactAsText(e hclsyntax.Expression) {
	d := diag.New("artifact-in-string", e.Range(), "an artifact is not text")
	t, hclDiags := hcl.AbsTraversalForExpr(e)
	switch {
	case hclDiags.HasErrors():
	case t.RootName() == "step" || t.RootName() == "param" || t.RootName() == "each":
		d = d.WithDetail("Give it to the step as an input; the step's own command and env can read input.NAME.path.")
	default:
		text := evaluate.Text(t)
		d.Summary = text + " is not text; its path is " + text + ".path"
		d = d.WithFix(e.Range(), text+".path").WithSuggestion("write %s.path", text)
	}
	c.diags.Add(d)
}
