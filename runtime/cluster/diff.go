package cluster

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Field is a value that differs. Before is nil if it is added, After is nil if it is removed.
type Field struct {
	Path   string          `json:"path"` // spec.containers["main"].args[2]
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Diff lists the values in which two JSON values differ, as encoding/json decodes them into any, sorted by path. List
// elements are matched by name if all have different names, else by index. nil is a missing value. If an object or a
// list exists on one side only, each value in it is listed.
func Diff(before, after any) []Field {
	var d differ
	d.value("", before, after)
	return d.fields
}

// Whole is like Diff, but includes the equal values.
func Whole(before, after any) []Field {
	d := differ{whole: true}
	d.value("", before, after)
	return d.fields
}

// Same reports whether the value is equal on both sides.
func (f *Field) Same() bool { return bytes.Equal(f.Before, f.After) }

type differ struct {
	fields []Field
	whole  bool // also include equal values
}

func (d *differ) value(path string, before, after any) {
	b, bMap := before.(map[string]any)
	a, aMap := after.(map[string]any)
	if bMap || aMap {
		if (bMap || before == nil) && (aMap || after == nil) && len(a)+len(b) > 0 {
			d.object(path, b, a)
			return
		}
	}
	bl, bList := before.([]any)
	al, aList := after.([]any)
	if bList || aList {
		if (bList || before == nil) && (aList || after == nil) && len(al)+len(bl) > 0 && d.list(path, bl, al) {
			return
		}
	}
	x, y := encode(before), encode(after)
	if x == nil && y == nil || bytes.Equal(x, y) && !d.whole {
		return
	}
	d.fields = append(d.fields, Field{Path: path, Before: x, After: y})
}

func (d *differ) object(path string, before, after map[string]any) {
	keys := slices.Collect(maps.Keys(after))
	for k := range before {
		if _, both := after[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		d.value(join(path, k), before[k], after[k])
	}
}

// list compares two lists element by element. It returns false if that is not useful: lists of plain values with
// different lengths are clearer as a whole.
func (d *differ) list(path string, before, after []any) bool {
	if byName(before) && byName(after) {
		d.named(path, before, after)
		return true
	}
	if plain(before) && plain(after) && len(before) != len(after) {
		return false
	}
	for i := range max(len(before), len(after)) {
		d.value(path+"["+strconv.Itoa(i)+"]", at(before, i), at(after, i))
	}
	return true
}

func (d *differ) named(path string, before, after []any) {
	old := map[string]any{}
	for _, e := range before {
		old[nameOf(e)] = e
	}
	for _, e := range after {
		name := nameOf(e)
		d.value(path+"["+strconv.Quote(name)+"]", old[name], e)
		delete(old, name)
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		d.value(path+"["+strconv.Quote(name)+"]", old[name], nil)
	}
}

func nameOf(e any) string {
	m, _ := e.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

func byName(list []any) bool {
	seen := map[string]bool{}
	for _, e := range list {
		name := nameOf(e)
		if name == "" || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

func plain(list []any) bool {
	return !slices.ContainsFunc(list, func(e any) bool {
		switch e.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// join appends a key to a path, quoted if necessary.
func join(path, key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func encode(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil { // never: v was decoded from JSON
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}
