package python

// class is a class at the top level of a module whose objects may be results of several values.
type class struct {
	fields []field // of a dataclass, a NamedTuple and a TypedDict; nil for all others
	record bool    // it is one of them
}

// field is a field of a class.
type field struct {
	name       Name
	annotation *Annotation
}

// isDataclass reports whether a decorator makes a class a dataclass.
func isDataclass(words []token) bool {
	for _, w := range words {
		if w.text == "dataclass" {
			return true
		}
	}
	return false
}

// class reads a class: its header and its body. dataclass reports whether it has that decorator.
func (r *reader) class(words []token, dataclass bool, lines []line) {
	name := words[1].text
	c := &class{record: dataclass}
	for _, w := range words[2:] {
		if w.text == "NamedTuple" || w.text == "TypedDict" {
			c.record = true
		}
	}
	if _, twice := r.module.classes[name]; twice || r.module.bound[name] {
		c = &class{} // it is not known which of them counts
	}
	r.module.bound[name] = true
	r.module.classes[name] = c
	if !c.record || len(lines) == 0 {
		return
	}
	for _, l := range lines {
		w := l.tokens
		if l.indent == lines[0].indent && len(w) > 2 && w[1].text == ":" && isName(w[0].text) {
			a, _ := r.annotated(w)
			c.fields = append(c.fields, field{nameOf(w[0]), a})
		}
	}
}
