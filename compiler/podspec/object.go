package podspec

import (
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// field is one field of a Kubernetes type.
type field struct {
	of       reflect.Type
	required bool
	key      string // for a list whose items are merged: the field that identifies an item
}

var fieldCache sync.Map // reflect.Type -> map[string]field

// fields returns the fields of a struct by their names in JSON, including those of inlined structs.
func fields(t reflect.Type) map[string]field {
	if got, ok := fieldCache.Load(t); ok {
		return got.(map[string]field)
	}
	out := map[string]field{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, flags, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "":
			inlined := f.Type
			for inlined.Kind() == reflect.Pointer {
				inlined = inlined.Elem()
			}
			for name, f := range fields(inlined) {
				out[name] = f
			}
		default:
			out[name] = field{of: f.Type, required: !strings.Contains(flags, "omitempty") && t != reflect.TypeFor[corev1.PodSpec](), key: f.Tag.Get("patchMergeKey")}
		}
	}
	fieldCache.Store(t, out)
	return out
}

func (c *checker) object(t reflect.Type, v cty.Value, p place) any {
	if !isObject(v) {
		return c.shape("an object", v, p)
	}
	known, out := fields(t), map[string]any{}
	given := v.AsValueMap()
	for _, name := range evaluate.Names(given) {
		f, ok := known[name]
		switch {
		case !ok:
			c.unknown(t, name, p)
		case c.owned(name, p):
		case f.key != "":
			out[name] = c.keyed(f, given[name], p.in(c, name))
		default:
			out[name] = c.value(f.of, given[name], p.in(c, name))
		}
	}
	for _, name := range evaluate.Names(known) {
		if _, there := given[name]; known[name].required && !there {
			c.fault(diag.New("missing", p.expr.Range(), "%s has no %s, which Kubernetes requires", p.name(), name))
		}
	}
	c.rules(t, out, p)
	return out
}

// unknown reports a field that a type doesn't have.
func (c *checker) unknown(t reflect.Type, name string, p place) {
	names := evaluate.Names(fields(t))
	d := diag.New("unknown-attribute", p.key(c, name), "Kubernetes has no field %q in %s", name, p.name()).DidYouMean(name, names)
	if d.Suggestion == "" && p.path == "" {
		switch name {
		case "metadata", "spec", "template":
			d = d.WithDetail("`pod` is merged into the pod's spec. Labels and annotations are attributes of the step.")
		}
	}
	if d.Suggestion == "" && d.Detail == "" {
		d = d.WithDetail("%s", evaluate.Listed("There are", names))
	}
	c.fault(d)
}

func (c *checker) mapping(t reflect.Type, v cty.Value, p place) any {
	if !isObject(v) {
		return c.shape("a map", v, p)
	}
	out, given := map[string]any{}, v.AsValueMap()
	for _, name := range evaluate.Names(given) {
		out[name] = c.value(t.Elem(), given[name], p.in(c, name))
	}
	return out
}

func (c *checker) list(t reflect.Type, v cty.Value, p place) any {
	if !isList(v) {
		return c.shape("a list", v, p)
	}
	out := []any{}
	for i, item := range v.AsValueSlice() {
		out = append(out, c.value(t.Elem(), item, p.at(c, i, strconv.Itoa(i))))
	}
	return out
}

// keyed checks a list that is merged item by item. Each item has a key, and each key appears once.
func (c *checker) keyed(f field, v cty.Value, p place) any {
	if v.IsNull() {
		return c.null(p)
	}
	if !isList(v) {
		return c.shape("a list", v, p)
	}
	out, seen := []any{}, map[string]place{}
	for i, item := range v.AsValueSlice() {
		label := strconv.Itoa(i)
		if !item.IsNull() && isObject(item) {
			if key, ok := item.AsValueMap()[f.key]; ok && !key.IsNull() && key.Type() == cty.String {
				label = key.AsString()
			}
		}
		at := p.at(c, i, label)
		if first, twice := seen[label]; twice {
			c.fault(diag.New("duplicate", at.expr.Range(), "%s is in the list twice", at.name()).WithRelated(first.expr.Range(), "the first item is here"))
			continue
		}
		seen[label] = at
		got := c.value(f.of.Elem(), item, at)
		if m, ok := got.(map[string]any); ok && m[f.key] == nil && !c.faulty {
			c.fault(diag.New("missing", at.expr.Range(), "%s has no %s, which identifies the items of this list", at.name(), f.key))
		}
		out = append(out, got)
	}
	return out
}
