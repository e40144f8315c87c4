// Package podspec checks a step's `pod` against Kubernetes' own types, field by field, when compiling: unknown names,
// wrong types, quantities, what is missing, and what is pipec's own to say. What comes out is the JSON of a strategic merge
// that is known to fit; schema/kube/pod merges it. Places are those of the innermost literal.
//
// What only an API server knows, such as which of several fields exclude each other, is left to it.
package podspec

import (
	"encoding/json"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// Options say what else is known of the step.
type Options struct {
	HostPaths bool // its security block lets it have volumes of the node
	// Containers are those that the step's own blocks bring: `pod` may add to them, and their images are known.
	Containers map[string]bool
}

// Part checks v, the value of e, as one part of a PodSpec, of a type of Kubernetes; name is what the step calls it. nil:
// something is wrong, which has been told.
func Part(w *evaluate.Project, e hcl.Expression, v cty.Value, t reflect.Type, name string) any {
	c := &checker{project: w}
	out := c.value(t, v, place{expr: e, path: name})
	if c.faulty {
		return nil
	}
	return out
}

// Check checks v, the value of e, as a patch of a PodSpec, and gives its canonical JSON; nil where something is wrong, which
// has been told.
func Check(w *evaluate.Project, e hcl.Expression, v cty.Value, o Options) json.RawMessage {
	c := &checker{project: w, options: o}
	out := c.value(reflect.TypeFor[corev1.PodSpec](), v, place{expr: e})
	if c.faulty {
		return nil
	}
	if m, ok := out.(map[string]any); ok && len(m) == 0 {
		return nil
	}
	data, err := json.Marshal(out)
	if err != nil { // numbers, strings and bools only
		c.fault(diag.New("evaluation", e.Range(), "this value can't be kept: %v", err))
		return nil
	}
	return data
}

type checker struct {
	project *evaluate.Project
	options Options
	faulty  bool
}

func (c *checker) fault(d diag.Diagnostic) {
	c.faulty = true
	c.project.Diags.Add(d)
}

// place is where a value stands: in the source, and in the pod.
type place struct {
	expr hcl.Expression // the innermost that is written out
	path string         // as a person reads it: containers[main].env[0].name
}

// in is the place of a field.
func (p place) in(c *checker, name string) place {
	e := c.project.Follow(p.expr)
	path := name
	if p.path != "" {
		path = p.path + "." + name
	}
	return place{expr: evaluate.Part(e, name), path: path}
}

// at is the place of an item; label is its number or its key.
func (p place) at(c *checker, i int, label string) place {
	return place{expr: evaluate.Element(c.project.Follow(p.expr), i), path: p.path + "[" + label + "]"}
}

// key is where the name of a field is written.
func (p place) key(c *checker, name string) hcl.Range {
	return evaluate.KeyRange(c.project.Follow(p.expr), name)
}

func (p place) name() string {
	if p.path == "" {
		return "`pod`"
	}
	return "`" + p.path + "`"
}
