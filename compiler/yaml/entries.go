package yaml

import (
	"github.com/zclconf/go-cty/cty"
	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
)

// entry is a key of a map and its value.
type entry struct {
	name     *scalar
	key      *lib.Node
	value    *lib.Node
	end      int      // the end of everything that has been read of the entry
	siblings []*entry // all entries of the map
}

// id returns the name under which a key is compared. Text is equal if it is equal in Unicode's normal form C, because that
// is the form of the keys of values.
func (e *entry) id() string { return cty.NormalizeString(e.name.text) }

// entries returns the keys of a map, followed by the merged ones. It reports keys that are not text, and duplicate keys.
func (r *reader) entries(n *lib.Node, depth int) []*entry {
	var out []*entry
	seen := make(map[string]*entry, len(n.Content)/2)
	var merges []*lib.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if isMerge(key) {
			r.scalar(key)
			merges = append(merges, value)
			continue
		}
		e := r.entry(key, value)
		if e == nil {
			continue
		}
		if first, twice := seen[e.id()]; twice {
			r.tell(diag.New("duplicate", r.places.at(e.name.start, e.name.end), "duplicate key %q", e.name.text).
				WithRelated(r.places.at(first.name.start, first.name.end), "the first one is here"))
			continue
		}
		seen[e.id()] = e
		out = append(out, e)
	}
	for _, m := range merges {
		out = r.merge(out, seen, m, depth+1)
	}
	for _, e := range out {
		e.siblings = out
	}
	return out
}

// merge adds the keys of the value of a <<, except for existing ones. The value is a map, or a list of maps of which the
// first takes precedence.
func (r *reader) merge(out []*entry, seen map[string]*entry, from *lib.Node, depth int) []*entry {
	n, ok := r.enter(from, depth)
	if !ok {
		return out
	}
	defer r.through(from, n)()
	switch n.Kind {
	case lib.SequenceNode:
		for _, element := range n.Content {
			out = r.merge(out, seen, element, depth+1)
		}
	case lib.MappingNode:
		if !r.repeated(n, len(n.Content)/2) {
			return out
		}
		for _, e := range r.entries(n, depth) {
			if _, there := seen[e.id()]; !there {
				seen[e.id()] = e
				out = append(out, e)
			}
		}
	default:
		r.tell(diag.New("syntax", r.places.nodeAt(n), "<< merges a map, or a list of maps, found %s", described(n)).
			WithDetail("Use it with an alias: `<<: *name`."))
	}
	return out
}

// isMerge reports whether a key is the merge key: << without quotes.
func isMerge(n *lib.Node) bool {
	return n.Kind == lib.ScalarNode && n.Value == "<<" && n.Style&(lib.SingleQuotedStyle|lib.DoubleQuotedStyle) == 0
}

func (r *reader) entry(key, value *lib.Node) *entry {
	k := key
	if k.Kind == lib.AliasNode && k.Alias != nil {
		k = k.Alias
	}
	switch {
	case k.Kind != lib.ScalarNode:
		r.notKey(k)
		return nil
	case isNull(k) && k.Value == "":
		r.tell(diag.New("syntax", r.places.nodeAt(k), "the name before the colon is missing"))
		return nil
	}
	s := r.scalar(k)
	if k != key { // use the position of the alias
		at := r.places.offset(key.Line, key.Column)
		s = &scalar{text: s.text, start: at, end: at + 1 + len(key.Value), segments: []segment{{0, at, at + 1 + len(key.Value), false}}}
	}
	return &entry{name: s, key: k, value: value, end: s.end}
}

// notKey reports a key that is a map or a list: usually text that starts with a { or a [.
func (r *reader) notKey(k *lib.Node) {
	at := r.places.nodeAt(k)
	d := diag.New("syntax", at, "a name must be text, found %s", described(k))
	if k.Style&lib.FlowStyle != 0 {
		d.Summary = "a { starts a map here, and a map can't be a name"
		if k.Kind == lib.SequenceNode {
			d.Summary = "a [ starts a list here, and a list can't be a name"
		}
		d = d.WithDetail("An expression is written ${…}.").WithSuggestion("quote it if you mean text")
	}
	r.tell(d)
}
