package kinds

import (
	"strconv"
	"strings"
	"time"

	"pipec.dev/pipec/schema/program"
)

// Values are the attributes of a block that are set, by name: a string, an int, a bool, a []string, a map[string]string, or a
// time.Duration for the format "duration". Values of the wrong type are reported by the compiler and are not here.
type Values map[string]any

// String returns a string, "" if it is not set.
func (v Values) String(name string) string { s, _ := v[name].(string); return s }

// Bool returns a bool, false if it is not set.
func (v Values) Bool(name string) bool { b, _ := v[name].(bool); return b }

// Int returns a number, 0 if it is not set.
func (v Values) Int(name string) int { n, _ := v[name].(int); return n }

// Strings returns a list of strings, nil if it is not set.
func (v Values) Strings(name string) []string { l, _ := v[name].([]string); return l }

// Map returns a map of strings, nil if it is not set.
func (v Values) Map(name string) map[string]string { m, _ := v[name].(map[string]string); return m }

// Duration returns a duration, or byDefault if it is not set.
func (v Values) Duration(name string, byDefault time.Duration) program.Duration {
	if d, ok := v[name].(time.Duration); ok {
		return program.Duration(d)
	}
	return program.Duration(byDefault)
}

// Keep returns all values as text, for the Settings of a kind that has no fields of its own in package program. Empty
// strings are left out: "" is as if an attribute was not set.
func (v Values) Keep() map[string]string {
	var out map[string]string
	for name, value := range v {
		text := ""
		switch value := value.(type) {
		case string:
			text = value
		case bool:
			text = strconv.FormatBool(value)
		case int:
			text = strconv.Itoa(value)
		case time.Duration:
			text = value.String()
		}
		if text == "" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = text
	}
	return out
}

// Fault is what is wrong with the value of an attribute. The compiler turns it into a diagnostic with a place.
type Fault struct {
	Code       string // of package diag; "": invalid-value
	Block      string // the block of the stack that the attribute is in; "": the block that was read
	Attribute  string // the fault is at its value
	AtName     bool   // the fault is at the attribute's name instead
	Text       string
	Detail     string
	Suggestion string
	See        string // another attribute that has to do with it; may be ""
	SeeText    string
}

// objectName returns the value of an attribute that names an object of Kubernetes, "" if it isn't a name by the rule.
func objectName(v Values, name string, rule func(string) []string) (string, []Fault) {
	text, set := v[name].(string)
	if !set || len(rule(text)) == 0 {
		return text, nil
	}
	f := Fault{
		Code: "invalid-name", Attribute: name,
		Text: strconv.Quote(text) + " is not a valid Kubernetes name of a " + strings.ReplaceAll(name, "_", " "),
	}
	if low := strings.ToLower(strings.ReplaceAll(text, "_", "-")); len(rule(low)) == 0 {
		f.Suggestion = "did you mean " + strconv.Quote(low) + "?"
	}
	return "", []Fault{f}
}
