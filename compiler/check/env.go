package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// env checks the environment of a step: env and secret_env.
func (c *checker) env(p *Pipeline, s *Step) {
	s.Env = map[string]*Value{}
	places := map[string]hcl.Range{}
	if e := s.Block.Attr("env"); e != nil {
		if object, ok := e.(*hclsyntax.ObjectConsExpr); ok {
			c.envObject(p, s, object, places)
		} else {
			c.envMap(p, s, e, places)
		}
	}
	for _, b := range s.Block.All("secret_env") {
		if first, twice := places[b.Label]; twice {
			c.diags.Add(diag.New("duplicate", b.LabelRange, "%s is set twice", b.Label).WithRelated(first, "the first time is here"))
			continue
		}
		places[b.Label] = b.LabelRange
		if !decode.ValidName(b.Label) || !c.envVariable(b.Label, b.LabelRange) {
			continue
		}
		s.secrets = append(s.secrets, b)
	}
}

// secretEnv checks which Secrets variables are taken from.
func (c *checker) secretEnv(s *Step) {
	for _, b := range s.secrets {
		secret := c.objectName(b, "secret", validation.IsDNS1123Subdomain)
		key := c.objectName(b, "key", validation.IsConfigMapKey)
		if secret != "" && key != "" {
			s.Program.SecretEnv = append(s.Program.SecretEnv, program.Secret{Name: b.Label, Secret: secret, Key: key})
		}
	}
	slices.SortFunc(s.Program.SecretEnv, func(a, b program.Secret) int { return strings.Compare(a.Name, b.Name) })
}

// envObject is env = { NAME = value }, each value of which may wait for run time.
func (c *checker) envObject(p *Pipeline, s *Step, object *hclsyntax.ObjectConsExpr, places map[string]hcl.Range) {
	for _, item := range object.Items {
		at := item.KeyExpr.Range()
		name := evaluate.KeyName(item.KeyExpr)
		if name == "" {
			key := c.value(p, s, language.Const, item.KeyExpr)
			if key == nil || !c.wanted(key, cty.String, item.KeyExpr, hcl.Range{}) {
				continue
			}
			if key.Const == cty.NilVal {
				c.diags.Add(diag.New("not-constant", at, "the names in env must be known when compiling"))
				continue
			}
			name = key.Const.AsString()
		}
		if first, twice := places[name]; twice {
			c.diags.Add(diag.New("duplicate", at, "%s is set twice", name).WithRelated(first, "the first time is here"))
			continue
		}
		places[name] = at
		v := c.value(p, s, language.Own, item.ValueExpr)
		if v == nil || !c.envVariable(name, at) {
			continue
		}
		if isHandleOrArtifact(v.Type) {
			c.artifactAsText(item.ValueExpr)
		} else if c.wanted(v, cty.String, item.ValueExpr, hcl.Range{}) {
			s.Env[name] = v
			c.noNUL(v, item.ValueExpr, "the environment")
		}
	}
}

// envMap is env as another expression: a local, a call of merge. It is known when compiling.
func (c *checker) envMap(p *Pipeline, s *Step, e hcl.Expression, places map[string]hcl.Range) {
	v := c.value(p, s, language.Own, e)
	if v == nil {
		return
	}
	if v.Const == cty.NilVal {
		c.diags.Add(diag.New("not-constant", e.Range(), "the names in env must be known when compiling").
			WithSuggestion("write env = { NAME = value }: the values may wait for run time"))
		return
	}
	if !c.wanted(v, cty.Map(cty.String), e, hcl.Range{}) {
		return
	}
	values := v.Const.AsValueMap()
	for _, name := range evaluate.Names(values) {
		places[name] = e.Range()
		if c.envVariable(name, e.Range()) {
			s.Env[name] = &Value{Const: values[name], Type: cty.String}
			c.noNUL(s.Env[name], e, "the environment")
		}
	}
}

func (c *checker) envVariable(name string, at hcl.Range) bool {
	switch {
	case !envName.MatchString(name):
		c.diags.Add(diag.New("invalid-name", at, "%q can't be the name of a variable of the environment", name).
			WithDetail("A name starts with a letter or _, and goes on with letters, digits and _."))
		return false
	case strings.HasPrefix(name, "PIPEC_"):
		c.diags.Add(diag.New("invalid-name", at, "%s is pipec's own: names that start with PIPEC_ are set by it", name))
		return false
	}
	return true
}

// environmentNames tells inputs and outputs whose PIPEC_INPUT_… and PIPEC_OUTPUT_… would be the same.
func (c *checker) environmentNames(s *Step) {
	inputs, outputs := map[string]hcl.Range{}, map[string]hcl.Range{}
	for _, in := range s.Inputs {
		c.environmentName(inputs, "PIPEC_INPUT_", in.Block.Label, in.Block.LabelRange)
	}
	for _, out := range s.Outputs {
		c.environmentName(outputs, "PIPEC_OUTPUT_", out.Block.Label, out.Block.LabelRange)
	}
}

func (c *checker) environmentName(taken map[string]hcl.Range, prefix, label string, at hcl.Range) {
	name := prefix + strings.ReplaceAll(label, "-", "_")
	if first, twice := taken[name]; twice {
		c.diags.Add(diag.New("ambiguous-name", at, "%s in the environment would stand for two of them", name).
			WithDetail("In the environment, a dash becomes an underscore.").WithRelated(first, "the other one is here"))
		return
	}
	taken[name] = at
}
