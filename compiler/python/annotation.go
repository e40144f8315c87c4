package python

import "strings"

// Annotation is the annotation of a parameter or of a result.
type Annotation struct {
	Start, End Position
	text       string // as it is written, without white space and with the texts of strings
	name       string // dotted: np.ndarray; "" for alternatives and text
	args       []*Annotation
	either     []*Annotation // of A | B
	quoted     string        // of a string: an annotation in quotes, or the name in Annotated[float, "accuracy"]
}

// String returns the text of the annotation; "" if it is nil.
func (a *Annotation) String() string {
	if a == nil {
		return ""
	}
	return a.text
}

// last returns the last part of the annotation's name: ndarray of np.ndarray.
func (a *Annotation) last() string {
	if a == nil {
		return ""
	}
	return a.name[strings.LastIndexByte(a.name, '.')+1:]
}

// annotated reads NAME: ANNOTATION = DEFAULT.
func (r *reader) annotated(words []token) (a *Annotation, hasDefault bool) {
	from := -1
	for i, w := range words[1:] {
		switch {
		case w.depth != words[0].depth:
		case w.text == ":" && from < 0:
			from = i + 2
		case w.text == "=":
			if from >= 0 {
				a = r.annotation(words[from : i+1])
			}
			return a, true
		}
	}
	if from >= 0 {
		a = r.annotation(words[from:])
	}
	return a, false
}

// annotation reads the tokens of an annotation; nil if there are none.
func (r *reader) annotation(words []token) *Annotation {
	if len(words) == 0 {
		return nil
	}
	a := &Annotation{Start: words[0].start, End: words[len(words)-1].end}
	depth := words[0].depth
	var parts [][]token
	from, plain := 0, true
	var text, name strings.Builder
	for _, w := range words {
		depth = min(depth, w.depth)
		piece := w.text
		if piece == `"` {
			piece = string(r.src[w.start.Byte:w.end.Byte])
		}
		text.WriteString(piece)
	}
	a.text = text.String()
	for i, w := range words {
		if w.depth == depth && w.text == "|" {
			parts, from = append(parts, words[from:i]), i+1
		}
	}
	switch {
	case len(parts) > 0:
		for _, part := range append(parts, words[from:]) {
			if len(part) == 0 {
				return a
			}
			a.either = append(a.either, r.annotation(part))
		}
		return a
	case words[0].text == `"`:
		if len(words) == 1 {
			a.quoted = unquoted(a.text)
		}
		return a
	case words[0].text == "[" && closing(words, 0) == len(words)-1: // the arguments of Callable
		return a
	}
	for i, w := range words {
		if w.text == "[" && w.depth == depth {
			end := closing(words, i)
			if end != len(words)-1 {
				return a
			}
			for _, part := range split(words[i+1 : end]) {
				if len(part) > 0 {
					a.args = append(a.args, r.annotation(part))
				}
			}
			break
		}
		plain = plain && (w.text == "..." || w.text == "." || isName(w.text))
		name.WriteString(w.text)
	}
	if plain {
		a.name = name.String()
	}
	return a
}

// isName reports whether a token is a name.
func isName(text string) bool {
	c := text[0]
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// unquoted returns the text of a string without a prefix and without escapes; "" for all others.
func unquoted(text string) string {
	for _, quote := range []string{`"""`, `'''`, `"`, `'`} {
		if inner, ok := strings.CutPrefix(text, quote); ok {
			if inner, ok = strings.CutSuffix(inner, quote); ok && !strings.ContainsAny(inner, "\\\n") {
				return inner
			}
			return ""
		}
	}
	return ""
}
