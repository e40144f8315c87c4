package ignore

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// class translates the bracket expression that begins at an index. It returns where the expression ends; false if it
// doesn't end or has an unknown class, so that the pattern matches nothing. No bracket expression matches a slash.
func class(pattern string, at int) (text string, end int, ok bool) {
	i := at + 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	var set strings.Builder
	for first := true; ; first = false {
		if i >= len(pattern) {
			return "", 0, false
		}
		if pattern[i] == ']' && !first {
			i++
			break
		}
		if strings.HasPrefix(pattern[i:], "[:") {
			if n := strings.Index(pattern[i+2:], ":]"); n >= 0 {
				members := named(pattern[i+2 : i+2+n])
				if members == "" {
					return "", 0, false
				}
				set.WriteString(members)
				i += n + 4
				continue
			}
		}
		low, next, ok := member(pattern, i)
		if !ok {
			return "", 0, false
		}
		high := low
		if i = next; i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			if high, i, ok = member(pattern, i+1); !ok {
				return "", 0, false
			}
		}
		add(&set, low, high)
	}
	switch {
	case negated:
		return `[^/` + set.String() + `]`, i, true
	case set.Len() == 0:
		return `[^\x00-\x{10FFFF}]`, i, true
	}
	return `[` + set.String() + `]`, i, true
}

// member reads one character of a bracket expression.
func member(pattern string, i int) (r rune, next int, ok bool) {
	if pattern[i] == '\\' {
		i++
	}
	if i >= len(pattern) {
		return 0, 0, false
	}
	r, n := utf8.DecodeRuneInString(pattern[i:])
	return r, i + n, true
}

// add adds a range without the slash. An empty range adds nothing.
func add(set *strings.Builder, low, high rune) {
	if low <= '/' && '/' <= high {
		add(set, low, '/'-1)
		add(set, '/'+1, high)
		return
	}
	if low <= high {
		fmt.Fprintf(set, `\x{%x}-\x{%x}`, low, high)
	}
}

// named returns the members of a class of POSIX without the slash, as they are written between brackets; "" if there is no
// such class.
func named(class string) string {
	switch class {
	case "alnum", "alpha", "blank", "cntrl", "digit", "lower", "space", "upper", "xdigit":
		return "[:" + class + ":]"
	case "graph":
		return `!-.0-~`
	case "print":
		return ` -.0-~`
	case "punct":
		return "!-.:-@\\[-`{-~"
	}
	return ""
}
