package types

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// maxTypeDepth bounds the nesting of a type's text, which is read by recursion.
const maxTypeDepth = 256

// ParseString parses the output of String, as programs and records hold it. Use Parse for text from users, which reports positions.
func ParseString(s string) (cty.Type, error) {
	if t, ok := words[s]; ok {
		return t, nil
	}
	r := reader{rest: s}
	t, err := r.typ(0)
	if err == nil && r.rest != "" {
		err = fmt.Errorf("unexpected %.20q at the end", r.rest)
	}
	if err != nil {
		return cty.DynamicPseudoType, fmt.Errorf("type %.80q: %w", s, err)
	}
	return t, nil
}

type reader struct{ rest string }

// literalSigns replaces what quoted writes for text that would be an interpolation.
var literalSigns = strings.NewReplacer("$${", "${", "%%{", "%{")

// take goes past a sign, and the blanks around it.
func (r *reader) take(sign string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(r.rest, " "), sign)
	if ok {
		r.rest = strings.TrimLeft(rest, " ")
	}
	return ok
}

func (r *reader) want(signs ...string) error {
	for _, sign := range signs {
		if !r.take(sign) {
			return fmt.Errorf("expected %q before %.20q", sign, r.rest)
		}
	}
	return nil
}

func (r *reader) word() string {
	n := 0
	for n < len(r.rest) && plainName(r.rest[:n+1]) {
		n++
	}
	w := r.rest[:n]
	r.rest = r.rest[n:]
	return w
}

// name is a word, or any text in quotes.
func (r *reader) name() (string, error) {
	if !strings.HasPrefix(r.rest, `"`) {
		if w := r.word(); w != "" {
			return w, nil
		}
		return "", fmt.Errorf("expected a name before %.20q", r.rest)
	}
	quoted, err := strconv.QuotedPrefix(r.rest)
	if err != nil {
		return "", errors.New("a quote is not closed")
	}
	r.rest = r.rest[len(quoted):]
	name, err := strconv.Unquote(quoted)
	return literalSigns.Replace(name), err
}

func (r *reader) typ(depth int) (cty.Type, error) {
	if depth > maxTypeDepth {
		return cty.NilType, fmt.Errorf("nested more than %d deep", maxTypeDepth)
	}
	switch w := r.word(); w {
	case "list", "set", "map":
		return r.collection(w, depth)
	case "object":
		return r.object(depth)
	case "tuple":
		return r.tuple(depth)
	case "artifact":
		if err := r.want("("); err != nil {
			return cty.NilType, err
		}
		media, err := r.name()
		if err == nil {
			err = r.want(")")
		}
		return Of(Artifact{Kind: "artifact", Media: media}), err
	default:
		t, ok := words[w]
		if !ok {
			return cty.NilType, fmt.Errorf("%q is not a type", w)
		}
		return t, nil
	}
}

func (r *reader) collection(word string, depth int) (cty.Type, error) {
	if err := r.want("("); err != nil {
		return cty.NilType, err
	}
	elem, err := r.typ(depth + 1)
	if err == nil {
		err = r.want(")")
	}
	switch {
	case err != nil:
		return cty.NilType, err
	case word == "list":
		return cty.List(elem), nil
	case word == "map":
		return cty.Map(elem), nil
	}
	return cty.Set(elem), nil
}

func (r *reader) tuple(depth int) (cty.Type, error) {
	if err := r.want("(", "["); err != nil {
		return cty.NilType, err
	}
	var elems []cty.Type
	for !r.take("]") {
		if len(elems) > 0 && !r.take(",") {
			return cty.NilType, r.want("]")
		}
		e, err := r.typ(depth + 1)
		if err != nil {
			return cty.NilType, err
		}
		elems = append(elems, e)
	}
	return cty.Tuple(elems), r.want(")")
}

func (r *reader) object(depth int) (cty.Type, error) {
	if err := r.want("(", "{"); err != nil {
		return cty.NilType, err
	}
	attrs := map[string]cty.Type{}
	var optional []string
	for !r.take("}") {
		if len(attrs) > 0 && !r.take(",") {
			return cty.NilType, r.want("}")
		}
		name, err := r.name()
		if err == nil {
			err = r.want("=")
		}
		if err != nil {
			return cty.NilType, err
		}
		if _, twice := attrs[name]; twice {
			return cty.NilType, fmt.Errorf("the attribute %q appears twice", name)
		}
		mayMiss := r.take("optional(")
		t, err := r.typ(depth + 1)
		if err == nil && mayMiss {
			optional = append(optional, name)
			r.skipDefault()
			err = r.want(")")
		}
		if err != nil {
			return cty.NilType, err
		}
		attrs[name] = t
	}
	return cty.ObjectWithOptionalAttrs(attrs, optional), r.want(")")
}

// skipDefault goes past a comma and the default behind it, up to the closing parenthesis. Programs have no defaults here, but text
// of users may.
func (r *reader) skipDefault() {
	if !r.take(",") {
		return
	}
	depth, quoted := 0, false
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case depth == 0 && c == ')':
			r.rest = r.rest[i:]
			return
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		}
	}
	r.rest = ""
}
