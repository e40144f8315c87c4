package record

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Address names a step of a run, or a part of one:
//
//	train             a step
//	train["a"]        an instance of a step with for_each over a map or a set
//	train[0]          an instance of a step with for_each over a list
//	train#2           the second round of a step with repeat; train[0]#2 of an instance
//	call.train        a step of the pipeline that the step call runs
//
// An address is its text: as JSON it is a plain string, and two addresses are equal if and only if they name the same
// part. The engine builds addresses with Instance, RoundAt and Child. Use ParseAddress for text from a user.
type Address string

// ParseAddress reads an address.
func ParseAddress(text string) (Address, error) {
	first := true
	for rest := text; rest != "" || first; first = false {
		n := partLen(rest)
		if err := checkPart(rest[:n], first); err != nil {
			return "", fmt.Errorf("the address %q is not valid: %w", text, err)
		}
		if after := rest[n:]; !first && after != "" && !follows(rest[0], after[0]) {
			return "", fmt.Errorf("the address %q is not valid: %q cannot follow %q", text, after, rest[:n])
		}
		rest = rest[n:]
	}
	return Address(text), nil
}

// follows reports whether a part that begins with the byte next may follow one that begins with the byte before.
func follows(before, next byte) bool {
	switch before {
	case '[':
		return next != '['
	case '#':
		return next == '.'
	}
	return true
}

// checkPart reports what is wrong with one part of an address.
func checkPart(part string, first bool) error {
	switch {
	case first && (part == "" || strings.ContainsRune(marks, rune(part[0]))):
		return errors.New("it does not begin with the name of a step")
	case first:
		return nil
	case part[0] == '.' && len(part) == 1:
		return errors.New("a name is missing after a dot")
	case part[0] == '.':
		return nil
	case part[0] == '#':
		if n, err := strconv.Atoi(part[1:]); err != nil || n < 1 || part[1:] != strconv.Itoa(n) {
			return fmt.Errorf("%q is not the number of a round", part[1:])
		}
		return nil
	}
	key := strings.TrimSuffix(part[1:], "]")
	if len(part) < 3 || part[len(part)-1] != ']' || !Key(key).valid() {
		return fmt.Errorf("%q is not the key of an instance: expected a number or a quoted string in brackets", part)
	}
	return nil
}

// String returns the text of the address.
func (a Address) String() string { return string(a) }

// Root returns the name of the step of the run's own pipeline that a names or is part of.
func (a Address) Root() string {
	if i := strings.IndexAny(string(a), marks); i >= 0 {
		return string(a[:i])
	}
	return string(a)
}

// Steps returns the names of the steps along the address, outermost first: call and train for call[0].train#2.
func (a Address) Steps() []string {
	names := []string{a.Root()}
	for rest := string(a)[len(names[0]):]; rest != ""; {
		n := partLen(rest)
		if rest[0] == '.' {
			names = append(names, rest[1:n])
		}
		rest = rest[n:]
	}
	return names
}

// Name returns the name of the last step of the address: train for call.train["a"]#2.
func (a Address) Name() string {
	names := a.Steps()
	return names[len(names)-1]
}

// Parent returns the address that a is directly part of: call.train for call.train[0], call for call.train. It returns
// false for a step of the run's own pipeline.
func (a Address) Parent() (Address, bool) {
	at := a.lastPart()
	return a[:at], at > 0
}

// Key returns the key of the instance that a names. It returns false if a does not name an instance.
func (a Address) Key() (Key, bool) {
	last := string(a[a.lastPart():])
	if !strings.HasPrefix(last, "[") {
		return "", false
	}
	return Key(strings.TrimSuffix(last[1:], "]")), true
}

// Round returns the number of the round that a names. It returns false if a does not name a round.
func (a Address) Round() (int, bool) {
	number, ok := strings.CutPrefix(string(a[a.lastPart():]), "#")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(number)
	return n, err == nil
}

// Under reports whether a is other, or a part of other at any depth.
func (a Address) Under(other Address) bool {
	rest, ok := strings.CutPrefix(string(a), string(other))
	return ok && (rest == "" || strings.IndexByte(marks, rest[0]) >= 0)
}

// Matches reports whether a is what a pattern names, or a part of that. A pattern is an address in which [*] stands for any
// instance.
func (a Address) Matches(pattern string) bool {
	if a.Under(Address(pattern)) {
		return true
	}
	rest := string(a)
	for i, piece := range strings.Split(pattern, "[*]") {
		if i > 0 {
			if !strings.HasPrefix(rest, "[") {
				return false
			}
			rest = rest[partLen(rest):]
		}
		var ok bool
		if rest, ok = strings.CutPrefix(rest, piece); !ok {
			return false
		}
	}
	return rest == "" || strings.IndexByte(marks, rest[0]) >= 0
}

// Instance returns the address of the instance of a with a key.
func (a Address) Instance(key Key) Address { return a + "[" + Address(key) + "]" }

// RoundAt returns the address of a round of a. Rounds count from 1.
func (a Address) RoundAt(n int) Address { return a + "#" + Address(strconv.Itoa(n)) }

// Child returns the address of a step of the pipeline that a runs.
func (a Address) Child(name string) Address { return a + "." + Address(name) }

// marks are the bytes with which a part of an address begins, after its first name.
const marks = ".[#"

// partLen returns the length of the first part of the text: a name, or a part that begins with one of marks.
func partLen(text string) int {
	if text == "" {
		return 0
	}
	if text[0] != '[' {
		if i := strings.IndexAny(text[1:], marks); i >= 0 {
			return 1 + i
		}
		return len(text)
	}
	quoted := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			return i + 1
		}
	}
	return len(text)
}

// lastPart returns where the last part of a begins.
func (a Address) lastPart() int {
	last := 0
	for at := 0; at < len(a); {
		last = at
		at += partLen(string(a[at:]))
	}
	return last
}
