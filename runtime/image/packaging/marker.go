package packaging

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Extras are what a marker may ask for beside the environment.
type Extras struct {
	Extras []string // of the project whose requirement has the marker
	Groups []string // dependency groups
}

// Evaluate evaluates a marker, such as `python_version >= "3.9" and sys_platform == "linux"`. An empty marker is true.
func (t Target) Evaluate(marker string, extras Extras) (bool, error) {
	if strings.TrimSpace(marker) == "" {
		return true, nil
	}
	tokens, err := tokenize(marker)
	if err != nil {
		return false, err
	}
	p := &markerParser{tokens: tokens, variables: t.variables(), extras: extras}
	ok, err := p.or(0)
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %s", p.tokens[0])
	}
	if err != nil {
		return false, fmt.Errorf("the marker %.300q is not valid: %w", marker, err)
	}
	return ok, nil
}

var tokenPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(\(|\)|===|==|~=|!=|<=|>=|<|>|'[^']*'|"[^"]*"|[A-Za-z_][A-Za-z0-9_.]*)`)
})

// maxMarker is the length of the longest marker. Those of lock files for many platforms can be long.
const maxMarker = 100_000

func tokenize(marker string) ([]string, error) {
	if len(marker) > maxMarker {
		return nil, fmt.Errorf("a marker has %d bytes, which is more than %d", len(marker), maxMarker)
	}
	var out []string
	for rest := marker; strings.TrimSpace(rest) != ""; {
		m := tokenPattern().FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("the marker %.300q is not valid at %.50q", marker, rest)
		}
		out = append(out, m[1])
		rest = rest[len(m[0]):]
	}
	return out, nil
}

// markerParser parses and evaluates at once. All parts are evaluated, so that errors don't depend on the environment.
type markerParser struct {
	tokens    []string
	variables map[string]string
	extras    Extras
}

// maxDepth limits nested parentheses.
const maxDepth = 200

func (p *markerParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *markerParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *markerParser) or(depth int) (bool, error) {
	out, err := p.and(depth)
	for err == nil && p.peek() == "or" {
		p.next()
		var right bool
		right, err = p.and(depth)
		out = out || right
	}
	return out, err
}

func (p *markerParser) and(depth int) (bool, error) {
	out, err := p.term(depth)
	for err == nil && p.peek() == "and" {
		p.next()
		var right bool
		right, err = p.term(depth)
		out = out && right
	}
	return out, err
}

func (p *markerParser) term(depth int) (bool, error) {
	if depth > maxDepth {
		return false, fmt.Errorf("more than %d nested parentheses", maxDepth)
	}
	if p.peek() == "(" {
		p.next()
		out, err := p.or(depth + 1)
		if err == nil && p.next() != ")" {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return out, err
	}
	left, op := p.next(), p.next()
	if op == "not" {
		if p.next() != "in" {
			return false, fmt.Errorf("expected `in` after `not`")
		}
		op = "not in"
	}
	return p.comparison(left, op, p.next())
}

// comparison evaluates one comparison.
func (p *markerParser) comparison(left, op, right string) (bool, error) {
	if right == "" {
		return false, fmt.Errorf("it ends early")
	}
	l, lset, err := p.value(left)
	if err != nil {
		return false, err
	}
	r, rset, err := p.value(right)
	if err != nil {
		return false, err
	}
	switch {
	case rset != nil || lset != nil:
		return p.membership(left, op, l, lset, r, rset)
	case op == "in":
		return strings.Contains(r, l), nil
	case op == "not in":
		return !strings.Contains(r, l), nil
	}
	// Versions are compared as such, all else as text.
	if left[0] == '\'' || left[0] == '"' {
		if ok, err := compare(flip(op), r, l); err == nil {
			return ok, nil
		}
	} else if ok, err := compare(op, l, r); err == nil {
		return ok, nil
	}
	switch op {
	case "==", "===":
		return l == r, nil
	case "!=":
		return l != r, nil
	case "<", "<=", ">", ">=":
		c := strings.Compare(l, r)
		return op[0] == '<' && c < 0 || op[0] == '>' && c > 0 || len(op) == 2 && c == 0, nil
	}
	return false, fmt.Errorf("%s can't compare %s with %s", op, left, right)
}

// membership evaluates a comparison with a set: extra == "x", or "x" in extras.
func (p *markerParser) membership(left, op, l string, lset []string, r string, rset []string) (bool, error) {
	set, name := lset, r
	if set == nil {
		set, name = rset, l
	}
	found := false
	for _, e := range set {
		found = found || normalExtra(e) == normalExtra(name)
	}
	switch {
	case op == "==" || op == "in" && rset != nil:
		return found, nil
	case op == "!=" || op == "not in" && rset != nil:
		return !found, nil
	}
	return false, fmt.Errorf("%s is not allowed with %s", op, left)
}

func normalExtra(s string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(s))
}

// value returns a text, or the set that a name stands for.
func (p *markerParser) value(token string) (string, []string, error) {
	switch {
	case token == "":
		return "", nil, fmt.Errorf("it ends early")
	case token[0] == '\'' || token[0] == '"':
		return token[1 : len(token)-1], nil, nil
	case token == "extra" || token == "extras":
		return "", append([]string{}, p.extras.Extras...), nil
	case token == "dependency_groups":
		return "", append([]string{}, p.extras.Groups...), nil
	}
	v, ok := p.variables[token]
	if !ok {
		return "", nil, fmt.Errorf("%.50q is not a variable of markers", token)
	}
	return v, nil, nil
}

// flip returns the operator for exchanged sides.
func flip(op string) string {
	switch op[0] {
	case '<':
		return ">" + op[1:]
	case '>':
		return "<" + op[1:]
	}
	return op
}
