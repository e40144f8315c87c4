package step

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Limits of a YAML file: its aliases can make a small file large.
const (
	maxYAMLNodes = 1 << 20
	maxYAMLDepth = 200
)

// yamlToJSON returns the JSON of a YAML document, with the types of YAML 1.2's core schema.
func yamlToJSON(data []byte) (out []byte, why string) {
	if why := textFault(string(data)); why != "" {
		return nil, why
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, "the file is empty"
	case err != nil:
		return nil, firstLine(err.Error())
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, "it has more than one document"
	}
	w := yamlWriter{left: maxYAMLNodes}
	if err := w.node(&doc, 0); err != nil {
		return nil, err.Error()
	}
	return w.out.Bytes(), ""
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return first
}

// yamlWriter writes nodes as JSON.
type yamlWriter struct {
	out  bytes.Buffer
	left int // how many nodes it may still write
}

func (w *yamlWriter) node(n *yaml.Node, depth int) error {
	if w.left--; w.left < 0 || depth > maxYAMLDepth || w.out.Len() > maxValueFile {
		return errors.New("it has too many or too deeply nested values")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) != 1 {
			return errors.New("the file is empty")
		}
		return w.node(n.Content[0], depth)
	case yaml.AliasNode:
		return w.node(n.Alias, depth+1)
	case yaml.SequenceNode:
		w.out.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				w.out.WriteByte(',')
			}
			if err := w.node(c, depth+1); err != nil {
				return err
			}
		}
		w.out.WriteByte(']')
		return nil
	case yaml.MappingNode:
		return w.mapping(n, depth)
	case yaml.ScalarNode:
		return w.scalar(n)
	}
	return fmt.Errorf("line %d: this can't be read", n.Line)
}

func (w *yamlWriter) mapping(n *yaml.Node, depth int) error {
	w.out.WriteByte('{')
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return fmt.Errorf("line %d: a key must be text", key.Line)
		case seen[key.Value]:
			return fmt.Errorf("line %d: duplicate key %q", key.Line, key.Value)
		}
		seen[key.Value] = true
		if i > 0 {
			w.out.WriteByte(',')
		}
		w.text(key.Value)
		w.out.WriteByte(':')
		if err := w.node(n.Content[i+1], depth+1); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	return nil
}

// The scalars of YAML 1.2's core schema that are not text.
var (
	yamlInt   = regexp.MustCompile(`^[-+]?[0-9]+$`)
	yamlBased = regexp.MustCompile(`^0o[0-7]+$|^0x[0-9a-fA-F]+$`)
	yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	yamlNaN   = regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$`)
)

func (w *yamlWriter) scalar(n *yaml.Node) error {
	s := n.Value
	tag := n.ShortTag()
	switch {
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0, n.Style&yaml.TaggedStyle != 0 && tag == "!!str":
		w.text(s)
	case n.Style&yaml.TaggedStyle != 0 && (strings.HasPrefix(tag, "!!python") || tag == "!!binary" || !strings.HasPrefix(tag, "!!")):
		return fmt.Errorf("line %d: the tag %s can't be read", n.Line, tag)
	case s == "" || s == "~" || s == "null" || s == "Null" || s == "NULL":
		w.out.WriteString("null")
	case s == "true" || s == "True" || s == "TRUE":
		w.out.WriteString("true")
	case s == "false" || s == "False" || s == "FALSE":
		w.out.WriteString("false")
	case json.Valid([]byte(s)) && yamlFloat.MatchString(s):
		w.out.WriteString(s) // with its own text
	case yamlInt.MatchString(s):
		digits := strings.TrimLeft(strings.TrimLeft(s, "+-"), "0")
		if strings.HasPrefix(s, "-") && digits != "" {
			w.out.WriteByte('-')
		}
		w.out.WriteString(digits)
		if digits == "" {
			w.out.WriteByte('0')
		}
	case yamlBased.MatchString(s):
		i, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			return fmt.Errorf("line %d: the number %s is too large", n.Line, s)
		}
		w.out.WriteString(strconv.FormatUint(i, 10))
	case yamlFloat.MatchString(s):
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("line %d: the number %s is too large", n.Line, s)
		}
		data, err := json.Marshal(f)
		if err != nil {
			return err
		}
		w.out.Write(data)
	case yamlNaN.MatchString(s):
		return fmt.Errorf("line %d: a value can't be %s, because JSON has no NaN and no infinity", n.Line, s)
	default:
		w.text(s)
	}
	return nil
}

func (w *yamlWriter) text(s string) {
	data, err := json.Marshal(s)
	if err != nil {
		data = []byte(`""`) // the text is valid UTF-8
	}
	w.out.Write(data)
}
