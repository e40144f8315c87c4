package cluster

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/schema/kube"
)

// programPath is the path of the fields of a program in a ConfigMap that Unpack has changed.
const programPath = "program"

// Unpack replaces the compressed programs of ConfigMaps that are created, written or unchanged by the fields of the programs.
// A program in several ConfigMaps is shown with the first one. It is a method of its own because most readers of a plan
// don't look at programs, and large ones have many fields.
func (c *Changes) Unpack() {
	type key struct{ pipeline, digest string }
	parts := map[key][]*Change{}
	var order []key
	for i := range c.List {
		ch := &c.List[i]
		if ch.Kind != "ConfigMap" || ch.desired == nil {
			continue
		}
		k := key{ch.Pipeline, ch.desired.GetAnnotations()[kube.AnnotationProgram]}
		if k.digest == "" {
			continue
		}
		if parts[k] == nil {
			order = append(order, k)
		}
		parts[k] = append(parts[k], ch)
	}
	for _, k := range order {
		unpack(parts[k])
	}
}

// unpack shows the program of ConfigMaps, which are its parts.
func unpack(parts []*Change) {
	objects := make([]*unstructured.Unstructured, len(parts))
	for i, ch := range parts {
		objects[i] = ch.desired
	}
	v, err := decode(objects)
	if err != nil {
		return // the size of the data remains
	}
	program := map[string]any{programPath: v}
	for i, ch := range parts {
		var content []Field
		switch {
		case i > 0:
			content = []Field{{Path: programPath, After: encode(fmt.Sprintf("(part %d of %d; see ConfigMap %s)", i+1, len(parts), parts[0].Name))}}
		case ch.Action == Unchanged:
			content = Whole(program, program)
		default:
			content = Whole(nil, program)
		}
		if i > 0 && ch.Action == Unchanged {
			content[0].Before = content[0].After
		}
		var all []Field
		for _, f := range ch.all {
			if !strings.HasPrefix(f.Path, "binaryData") {
				all = append(all, f)
			}
		}
		ch.all = append(all, content...)
		ch.Fields = changed(ch.all)
	}
}
