// Package podspec checks a step's `pod` against Kubernetes' own types, field by field, when compiling. It reports unknown
// names, wrong types, wrong quantities, missing fields, and fields that pipec sets itself. The result is the JSON of a
// strategic merge that is known to fit; schema/kube/pod merges it. Diagnostics point at the innermost literal.
//
// Rules that only an API server knows, such as which fields exclude each other, are left to the API server.
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

// Options are further facts about the step.
type Options struct {
	HostPaths bool // the step's security block allows volumes of the node
	// Containers are those that the step's own blocks add. `pod` may change them, and their images are known.
	Containers map[string]bool
}

// Part checks v, the value of e, as a part of a PodSpec of type t; name is the step's word for it. It reports faults and
// returns nil.
func Part(w *evaluate.Project, e hcl.Expression, v cty.Value, t reflect.Type, name string) any {
	c := &checker{project: w}
	out := c.value(t, v, place{expr: e, path: name})
	if c.faulty {
		return nil
	}
	return out
}

// Check checks v, the value of e, as a patch of a PodSpec, and returns its canonical JSON. It reports faults and returns
// nil.
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
	if err != nil { // v has only numbers, strings and bools
		c.fault(diag.New("evaluation", e.Range(), "this value can't be stored: %v", err))
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

// place is the position of a value, in the source and in the pod.
type place struct {
	expr hcl.Expression // the innermost expression that is written out
	path string         // in messages: containers[main].env[0].name
}

// in returns the place of a field.
func (p place) in(c *checker, name string) place {
	e := c.project.Values.Follow(p.expr)
	path := name
	if p.path != "" {
		path = p.path + "." + name
	}
	return place{expr: evaluate.Part(e, name), path: path}
}

// at returns the place of an item; label is its number or its key.
func (p place) at(c *checker, i int, label string) place {
	return place{expr: evaluate.Element(c.project.Values.Follow(p.expr), i), path: p.path + "[" + label + "]"}
}

// key returns the range of a field's name.
func (p place) key(c *checker, name string) hcl.Range {
	return evaluate.KeyRange(c.project.Values.Follow(p.expr), name)
}

func (p place) name() string {
	if p.path == "" {
		return "`pod`"
	}
	return "`" + p.path + "`"
}
