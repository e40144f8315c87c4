package rerun

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

// unchanged compares the definitions of a step as the program writes them, except for what can't change the outputs. Of a
// call, its inputs and outputs are left out too: they are compared one by one.
func (d *decider) unchanged(a, b *program.Step) bool {
	key := pair{a, b}
	if same, ok := d.equal[key]; ok {
		return same
	}
	x, y := essence(a), essence(b)
	same := x != nil && y != nil && bytes.Equal(x, y)
	d.equal[key] = same
	return same
}

func essence(s *program.Step) []byte {
	c := *s
	c.Doc, c.Labels, c.Annotations, c.Cache = "", nil, nil, nil
	c.Retry, c.Timeout, c.PendingTimeout, c.Grace = program.Retry{}, 0, 0, 0
	c.Resources, c.NodeSelector, c.ServiceAccount, c.ContinueOnFailure = nil, nil, "", false
	if c.Call != nil {
		c.Inputs, c.Outputs, c.OutputOrder, c.Needs = nil, nil, nil, nil
	}
	if c.Approval != nil { // who has approved is not asked again because there would be more time now
		approval := *c.Approval
		approval.Timeout = 0
		c.Approval = &approval
	}
	c.Variants = slices.Clone(c.Variants)
	for i := range c.Variants {
		v := &c.Variants[i]
		*v = program.Variant{Image: v.Image, SecretEnv: v.SecretEnv, Security: v.Security, PodPatch: v.PodPatch}
	}
	c.Pod, c.ImageDigest = nil, "" // the result of binding to a cluster; an image is as its reference says, as code is
	data, err := json.Marshal(&c)
	if err != nil {
		return nil
	}
	return data
}

// references is what a step reads, without the inputs of a call.
type references struct {
	params []string
	// passed are the steps that only the inputs of a call read.
	passed map[string]bool
}

// read returns what a step reads.
func (d *decider) read(s *program.Step) *references {
	if r := d.refs[s]; r != nil {
		return r
	}
	r := &references{passed: map[string]bool{}}
	c := *s
	if s.Call != nil {
		for i := range s.Inputs {
			for _, ref := range s.Inputs[i].Value.Refs() {
				if of, ok := expr.StepRef(ref); ok {
					r.passed[of.Step] = true
				}
			}
		}
		c.Inputs = nil
	}
	eachValue(reflect.ValueOf(&c).Elem(), func(v *program.Value) {
		for _, ref := range v.Refs() {
			if name, ok := paramOf(ref); ok {
				r.params = append(r.params, name)
			} else if of, ok := expr.StepRef(ref); ok {
				delete(r.passed, of.Step)
			}
		}
	})
	d.refs[s] = r
	return r
}

// paramOf returns the param that a reference reads.
func paramOf(ref string) (string, bool) {
	name, ok := strings.CutPrefix(ref, "param.")
	if i := strings.IndexAny(name, ".["); i >= 0 {
		name = name[:i]
	}
	return name, ok
}

// eachValue calls f with each expression of a part of a program.
func eachValue(v reflect.Value, f func(*program.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachValue(v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if k := v.Index(i).Kind(); k != reflect.Struct && k != reflect.Pointer {
				return
			}
			eachValue(v.Index(i), f)
		}
	case reflect.Struct:
		if value, ok := v.Addr().Interface().(*program.Value); ok {
			f(value)
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachValue(v.Field(i), f)
			}
		}
	}
}
