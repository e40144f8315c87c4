package pods

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/podspec"
)

// specCheck checks blocks and attributes that set fields of the PodSpec, except volumes and containers.
type specCheck struct {
	reader
	block  *decode.Block
	fields fields
}

// tolerations checks the `toleration` blocks.
func (c specCheck) tolerations() {
	var out []corev1.Toleration
	for _, n := range c.block.All("toleration") {
		t := corev1.Toleration{}
		t.Key = c.labelKey(n, "key")
		t.Value, _ = c.project.Attributes.String(n, "value")
		if t.Value != "" && len(validation.IsValidLabelValue(t.Value)) > 0 {
			c.diags.Add(diag.New("invalid-value", n.Attr("value").Range(), "%q is not a valid value of a taint", t.Value))
		}
		operator, isSet := c.project.Attributes.String(n, "operator")
		if !isSet {
			if operator = "Exists"; n.Attr("value") != nil {
				operator = "Equal"
			}
		}
		t.Operator = corev1.TolerationOperator(operator)
		effect, _ := c.project.Attributes.String(n, "effect")
		t.Effect = corev1.TaintEffect(effect)
		switch {
		case operator == "Exists" && n.Attr("value") != nil:
			c.diags.Add(diag.New("invalid-value", n.Attr("value").Range(), "the operator `Exists` takes no value").WithSuggestion(`remove the operator, or set it to "Equal"`))
		case operator == "Equal" && n.Attr("key") == nil:
			c.diags.Add(diag.New("missing", n.DefRange, "a toleration with a value requires a `key`"))
		}
		if seconds, ok := c.project.Attributes.Int(n, "seconds", 0); ok {
			s64 := int64(seconds)
			t.TolerationSeconds = &s64
			if effect != string(corev1.TaintEffectNoExecute) {
				c.diags.Add(diag.New("invalid-value", n.Attr("seconds").Range(), "`seconds` requires the effect `NoExecute`").
					WithSuggestion(`add effect = "NoExecute"`))
			}
		}
		out = append(out, t)
	}
	setList(c.fields, "tolerations", sorted(out))
}

// affinity checks the block `affinity`, whose attributes have Kubernetes' own types.
func (c specCheck) affinity() {
	n := c.block.One("affinity")
	if n == nil {
		return
	}
	out := map[string]any{}
	for name, f := range map[string]struct {
		field string
		of    reflect.Type
	}{
		"node":     {"nodeAffinity", reflect.TypeFor[corev1.NodeAffinity]()},
		"pod":      {"podAffinity", reflect.TypeFor[corev1.PodAffinity]()},
		"pod_anti": {"podAntiAffinity", reflect.TypeFor[corev1.PodAntiAffinity]()},
	} {
		e := n.Attr(name)
		if e == nil {
			continue
		}
		if v, ok := c.project.Constants.Const(e); !ok {
			continue
		} else if evaluate.IsSensitive(v) {
			c.diags.Add(c.project.Values.SensitiveFault(e))
		} else if part := podspec.Part(c.project, e, v, f.of, f.field); part != nil {
			out[f.field] = part
		}
	}
	if len(n.Attrs) == 0 {
		c.diags.Add(diag.New("missing", n.DefRange, "`affinity` is empty").WithSuggestion("add node, pod or pod_anti"))
	}
	if len(out) > 0 {
		c.fields["affinity"] = out
	}
}

// spread checks the `topology_spread` blocks.
func (c specCheck) spread() {
	seen := map[string]hcl.Range{}
	var out []map[string]any
	for _, n := range c.block.All("topology_spread") {
		key := c.labelKey(n, "key")
		skew, ok := c.project.Attributes.Int(n, "max_skew", 1)
		if !ok {
			skew = 1
		}
		when, ok := c.project.Attributes.String(n, "when_unsatisfiable")
		if !ok {
			when = "DoNotSchedule"
		}
		if first, twice := seen[key+" "+when]; twice {
			c.diags.Add(diag.New("duplicate", n.DefRange, "two `topology_spread` blocks with the key `%s` have the same `when_unsatisfiable`", key).WithRelated(first, "the first one is here"))
		}
		seen[key+" "+when] = n.DefRange
		before := c.diags.Len()
		match := c.labels(n, "match_labels")
		if e := n.Attr("match_labels"); e != nil && len(match) == 0 && c.diags.Len() == before {
			c.diags.Add(diag.New("invalid-value", e.Range(), "`match_labels` can't be empty, because it would match every pod"))
		}
		out = append(out, map[string]any{
			"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, "labelSelector": map[string]any{"matchLabels": match},
		})
	}
	setList(c.fields, "topologySpreadConstraints", sorted(out))
}
