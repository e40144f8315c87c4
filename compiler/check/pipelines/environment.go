package pipelines

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// environmentCheck checks the environment of a step's process: `env` and `secret_env`.
type environmentCheck struct {
	stepCheck
	seen map[string]hcl.Range // the names that are set, and where
}

func (c environmentCheck) check() {
	if c.step.Block.Attr("env") == nil && c.step.Block.One("secret_env") == nil {
		return
	}
	c.seen = map[string]hcl.Range{}
	c.step.Env = map[string]*model.Value{}
	if e := c.step.Block.Attr("env"); e != nil {
		if x, ok := e.(*hclsyntax.ObjectConsExpr); ok {
			c.object(x)
		} else {
			c.expression(e)
		}
	}
	for _, b := range c.step.Block.All("secret_env") {
		if first, twice := c.seen[b.Label]; twice {
			c.diags.Add(diag.New("duplicate", b.LabelRange, "%s is set twice", b.Label).WithRelated(first, "it is first set here"))
			continue
		}
		c.seen[b.Label] = b.LabelRange
		if !decode.ValidName(b.Label) || !c.variable(b.Label, b.LabelRange) {
			continue
		}
		c.step.Secrets = append(c.step.Secrets, b)
	}
}

// object checks env = { NAME = value }. Each value can be a run-time value.
func (c environmentCheck) object(object *hclsyntax.ObjectConsExpr) {
	for _, item := range object.Items {
		at := item.KeyExpr.Range()
		name := evaluate.KeyName(item.KeyExpr)
		if name == "" {
			key := c.values.Value(c.step, language.Const, item.KeyExpr)
			if key == nil || !c.values.Assign(key, cty.String, item.KeyExpr, hcl.Range{}) {
				continue
			}
			if key.Const == cty.NilVal {
				c.diags.Add(diag.New("not-constant", at, "the names in env must be known when compiling"))
				continue
			}
			name = key.Const.AsString()
		}
		if first, twice := c.seen[name]; twice {
			c.diags.Add(diag.New("duplicate", at, "%s is set twice", name).WithRelated(first, "it is first set here"))
			continue
		}
		c.seen[name] = at
		v := c.values.Text(c.step, language.Own, item.ValueExpr)
		if v == nil || !c.variable(name, at) || v.Null() {
			continue
		}
		if holdsArtifact(v.Type) {
			c.artifactAsText(item.ValueExpr)
		} else if c.values.Assign(v, cty.String, item.ValueExpr, hcl.Range{}) {
			c.step.Env[name] = v
			c.noNUL(v, item.ValueExpr, "the environment")
		}
	}
}

// expression checks `env` as any other expression, such as a local or a call of merge. It must be known when compiling.
func (c environmentCheck) expression(e hcl.Expression) {
	v := c.values.Text(c.step, language.Own, e)
	if v == nil {
		return
	}
	if v.Const == cty.NilVal {
		c.diags.Add(diag.New("not-constant", e.Range(), "the names in env must be known when compiling").
			WithSuggestion("write env = { NAME = value }, in which only the values can be known at run time"))
		return
	}
	if v = withoutNulls(v); !c.values.Assign(v, cty.Map(cty.String), e, hcl.Range{}) {
		return
	}
	variables := v.Const.AsValueMap()
	for _, name := range evaluate.Names(variables) {
		c.seen[name] = e.Range()
		if c.variable(name, e.Range()) {
			c.step.Env[name] = model.Constant(variables[name])
			c.noNUL(c.step.Env[name], e, "the environment")
		}
	}
}

// withoutNulls returns a map or an object without the elements that are null: variables that are not set. It returns any other
// constant as it is.
func withoutNulls(v *model.Value) *model.Value {
	bare, part := types.Unmark(v.Written)
	if t := bare.Type(); bare.IsNull() || !t.IsMapType() && !t.IsObjectType() {
		return v
	}
	set := map[string]cty.Value{}
	for name, elem := range bare.AsValueMap() {
		if !elem.IsNull() {
			set[name] = part(elem)
		}
	}
	if len(set) == bare.LengthInt() {
		return v
	}
	return model.Constant(cty.ObjectVal(set).WithSameMarks(v.Written))
}

// variable reports whether a variable can have a name.
func (c environmentCheck) variable(name string, at hcl.Range) bool {
	switch {
	case !envName.MatchString(name):
		c.diags.Add(diag.New("invalid-name", at, "%q is not a valid name of an environment variable", name).
			WithDetail("A name starts with a letter or _, and continues with letters, digits and _."))
		return false
	case strings.HasPrefix(name, "PIPEC_"):
		c.diags.Add(diag.New("invalid-name", at, "%s is reserved: pipec sets the variables that start with PIPEC_", name))
		return false
	}
	return true
}

// environmentNames reports inputs, and outputs, whose variables PIPEC_INPUT_… or PIPEC_OUTPUT_… would be the same.
func (c stepCheck) environmentNames() {
	if len(c.step.Inputs) < 2 && len(c.step.Outputs) < 2 {
		return
	}
	inputs, outputs := map[string]hcl.Range{}, map[string]hcl.Range{}
	for _, in := range c.step.Inputs {
		c.environmentName(inputs, "PIPEC_INPUT_", in.Block.Label, in.Block.LabelRange)
	}
	for _, out := range c.step.Outputs {
		c.environmentName(outputs, "PIPEC_OUTPUT_", out.Block.Label, out.Block.LabelRange)
	}
}

func (c stepCheck) environmentName(taken map[string]hcl.Range, prefix, label string, at hcl.Range) {
	name := prefix + strings.ReplaceAll(label, "-", "_")
	if first, twice := taken[name]; twice {
		c.diags.Add(diag.New("ambiguous-name", at, "the environment variable %s would be set twice", name).
			WithDetail("A dash in a name becomes an underscore in the environment.").WithRelated(first, "the other name is here"))
		return
	}
	taken[name] = at
}
