package pod

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// patch merges a step's `pod` over a spec, strategically: by the rules that Kubernetes' types carry in their tags. Lists
// whose items have a key, as containers have their name, are merged item by item; other lists are replaced.
//
// It is Kubernetes' own strategic merge (apimachinery's strategicpatch) without its directives, which the language
// doesn't have. That package would bring OpenAPI and protobuf along, which every start of pipec would pay for; a test
// holds the two to the same results.
func patch(spec *corev1.PodSpec, with json.RawMessage) (*corev1.PodSpec, error) {
	data, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	var base, over map[string]any
	if err := json.Unmarshal(data, &base); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(with, &over); err != nil {
		return nil, err
	}
	if data, err = json.Marshal(merge(base, over, reflect.TypeFor[corev1.PodSpec]())); err != nil {
		return nil, err
	}
	var out corev1.PodSpec
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("it is not a PodSpec: %w", err)
	}
	return &out, nil
}

// Merge merges two patches of a PodSpec, each of which may be nil. Applying the result has the same effect as applying both.
func Merge(under, over json.RawMessage) (json.RawMessage, error) {
	switch {
	case len(under) == 0:
		return over, nil
	case len(over) == 0:
		return under, nil
	}
	var a, b map[string]any
	if err := json.Unmarshal(under, &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(over, &b); err != nil {
		return nil, err
	}
	return json.Marshal(merge(a, b, reflect.TypeFor[corev1.PodSpec]()))
}

// merge lays one object of a type over another. t may be a map's.
func merge(base, over map[string]any, t reflect.Type) map[string]any {
	for name, v := range over {
		field := fieldOf(t, name)
		switch v := v.(type) {
		case map[string]any:
			if b, ok := base[name].(map[string]any); ok && field.strategy != "replace" {
				base[name] = merge(b, v, field.of)
				continue
			}
		case []any:
			if b, ok := base[name].([]any); ok && field.strategy == "merge" {
				base[name] = mergeList(b, v, field)
				continue
			}
		}
		base[name] = over[name]
	}
	return base
}

// mergeList merges items of the same key, in the order of base; those that are new come last. Items without a key are
// joined, each once.
func mergeList(base, over []any, f field) []any {
	for _, item := range over {
		if at := find(base, item, f.key); at < 0 {
			base = append(base, item)
		} else if f.key != "" {
			base[at] = merge(base[at].(map[string]any), item.(map[string]any), f.of)
		}
	}
	return base
}

func find(list []any, item any, key string) int {
	for i, have := range list {
		if key == "" {
			if reflect.DeepEqual(have, item) {
				return i
			}
			continue
		}
		a, aOK := have.(map[string]any)
		b, bOK := item.(map[string]any)
		if aOK && bOK && a[key] != nil && reflect.DeepEqual(a[key], b[key]) {
			return i
		}
	}
	return -1
}

// field is what the tags of a field say of merging.
type field struct {
	of       reflect.Type // what it holds, or what its items are
	strategy string       // merge, replace or ""
	key      string
}

// fieldOf finds the field of a struct by its name in JSON; the values of a map are its fields.
func fieldOf(t reflect.Type, name string) field {
	switch {
	case t == nil:
		return field{}
	case t.Kind() == reflect.Map:
		return field{of: bare(t.Elem())}
	case t.Kind() != reflect.Struct:
		return field{}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		json, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && json == "" {
			if in := fieldOf(bare(f.Type), name); in.of != nil {
				return in
			}
			continue
		}
		if json == name {
			strategy, _, _ := strings.Cut(f.Tag.Get("patchStrategy"), ",")
			return field{of: bare(f.Type), strategy: strategy, key: f.Tag.Get("patchMergeKey")}
		}
	}
	return field{}
}

// bare takes off what a type is pointed to, or listed, by.
func bare(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}
