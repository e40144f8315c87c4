package python

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// Argument is an argument that a script declares with argparse: a call of add_argument.
type Argument struct {
	Flags    []string // "--epochs", "-e"; empty for a positional argument
	Name     string   // the attribute of the parsed arguments: epochs
	Type     string   // the text of `type`: int, float, str, pathlib.Path; "" if it is not set
	Default  json.RawMessage
	Action   string // store_true, count, …; "" if it is not set
	NArgs    string // "+", "*", "?" or a number; "" if it is not set
	Required bool
	Choices  []json.RawMessage // if they are written out
	Help     string
	// Unclear names what the text doesn't show, such as a default that is computed; "" if everything is clear.
	Unclear string
}

// Arguments returns the arguments that a script declares with argparse, in order. It finds the calls of add_argument anywhere in
// the text. The errors are those of Read.
func Arguments(src []byte) ([]Argument, error) {
	if len(src) > MaxFile {
		return nil, ErrTooLarge
	}
	src = withoutMark(src)
	lines, err := scan(src)
	if err != nil {
		return nil, err
	}
	var out []Argument
	for _, l := range lines {
		for i := range l.tokens {
			if l.tokens[i].text != "add_argument" || i+1 == len(l.tokens) || l.tokens[i+1].text != "(" {
				continue
			}
			if end := closing(l.tokens, i+1); end > 0 {
				if a := argument(src, l.tokens[i+2:end]); a.Name != "" {
					out = append(out, a)
				}
			}
		}
	}
	return out, nil
}

// argument reads the arguments of a call of add_argument.
func argument(src []byte, words []token) Argument {
	var a Argument
	dest := ""
	for _, part := range split(words) {
		switch {
		case len(part) == 0:
		case len(part) > 2 && part[1].text == "=":
			value := part[2:]
			text := string(src[value[0].start.Byte:value[len(value)-1].end.Byte])
			switch part[0].text {
			case "type":
				a.Type = text
			case "default":
				if a.Default = literal(src, value); a.Default == nil {
					a.Unclear = "default"
				}
			case "action":
				a.Action = stringOf(literal(src, value))
				if a.Action == "" {
					a.Action = text
				}
			case "nargs":
				if a.NArgs = stringOf(literal(src, value)); a.NArgs == "" {
					a.NArgs = text
				}
			case "required":
				a.Required = text == "True"
			case "dest":
				dest = stringOf(literal(src, value))
			case "help":
				a.Help = stringOf(literal(src, value))
			case "choices":
				_ = json.Unmarshal(literal(src, value), &a.Choices) // computed choices are left out
			}
		default:
			if name := stringOf(literal(src, part)); strings.HasPrefix(name, "-") {
				a.Flags = append(a.Flags, name)
			} else if name != "" {
				a.Name = name
			}
		}
	}
	for _, flag := range a.Flags {
		if a.Name == "" || strings.HasPrefix(flag, "--") {
			a.Name = strings.ReplaceAll(strings.TrimLeft(flag, "-"), "-", "_")
		}
		if strings.HasPrefix(flag, "--") {
			break // the first long flag names the attribute
		}
	}
	if dest != "" {
		a.Name = dest
	}
	return a
}

// numberText matches the numbers of Python: with an integer and a fraction, either of which may be missing.
var numberText = regexp.MustCompile(`^(-?)(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?$`)

// number returns a number as JSON, and nil for other text.
func number(text string) json.RawMessage {
	m := numberText.FindStringSubmatch(strings.ReplaceAll(text, "_", ""))
	if m == nil || m[2] == "" && len(m[3]) < 2 {
		return nil
	}
	return json.RawMessage(m[1] + cmp.Or(m[2], "0") + strings.TrimSuffix(m[3], ".") + m[4])
}

// literal returns the value of a literal as JSON; nil if it is not one.
func literal(src []byte, words []token) json.RawMessage {
	text := string(src[words[0].start.Byte:words[len(words)-1].end.Byte])
	switch {
	case text == "None":
		return json.RawMessage("null")
	case text == "True", text == "False":
		return json.RawMessage(strings.ToLower(text))
	case number(text) != nil:
		return number(text)
	case words[0].text == `"`:
		return stringLiteral(src, words)
	case (words[0].text == "[" || words[0].text == "(") && closing(words, 0) == len(words)-1:
		out := []json.RawMessage{}
		for _, part := range split(words[1 : len(words)-1]) {
			if len(part) == 0 {
				continue
			}
			one := literal(src, part)
			if one == nil {
				return nil
			}
			out = append(out, one)
		}
		data, err := json.Marshal(out)
		if err != nil {
			return nil
		}
		return data
	}
	return nil
}

// stringLiteral returns the text of strings that are written one after the other.
func stringLiteral(src []byte, words []token) json.RawMessage {
	var text strings.Builder
	for _, w := range words {
		if w.text != `"` {
			return nil
		}
		raw := string(src[w.start.Byte:w.end.Byte])
		quote := strings.IndexAny(raw, `"'`)
		prefix := strings.ToLower(raw[:quote])
		if strings.ContainsAny(prefix, "fbt") {
			return nil
		}
		body := raw[quote:]
		n := 1
		if strings.HasPrefix(body, `"""`) || strings.HasPrefix(body, "'''") {
			n = 3
		}
		body = body[n : len(body)-n]
		if !strings.Contains(prefix, "r") && strings.Contains(body, `\`) {
			plain, err := strconv.Unquote(`"` + strings.NewReplacer("\n", `\n`, `\"`, `\"`, `\'`, `'`, `"`, `\"`).Replace(body) + `"`)
			if err != nil {
				return nil
			}
			body = plain
		}
		text.WriteString(body)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(text.String()) != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}

// stringOf returns the text of a string; "" for anything else.
func stringOf(data json.RawMessage) string {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return ""
	}
	return text
}
