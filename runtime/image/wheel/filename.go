package wheel

import (
	"fmt"
	"strings"
)

// Filename is the name of a wheel's file: NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl.
type Filename struct {
	Name, Version, Build   string
	Python, ABI, Platforms []string // compressed tag sets: each combination is a tag
}

// maxFilename is the longest name of a file on common file systems.
const maxFilename = 255

// ParseFilename parses the name of a wheel's file.
func ParseFilename(filename string) (Filename, error) {
	fault := func(format string, args ...any) (Filename, error) {
		return Filename{}, &Error{Wheel: filename, Text: fmt.Sprintf(format, args...)}
	}
	base, ok := strings.CutSuffix(filename, ".whl")
	if !ok || len(filename) > maxFilename {
		return fault("is not the name of a wheel: expected NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
	}
	parts := strings.Split(base, "-")
	if len(parts) != 5 && len(parts) != 6 {
		return fault("has %d parts in its name, expected NAME-VERSION-PYTHON-ABI-PLATFORM.whl", len(parts))
	}
	for _, part := range parts {
		if part == "" || strings.IndexFunc(part, func(r rune) bool { return !nameRune(r) }) >= 0 {
			return fault("has the part %q in its name, expected letters, digits, and any of . _ + !", part)
		}
	}
	out := Filename{Name: parts[0], Version: parts[1]}
	if len(parts) == 6 {
		if out.Build = parts[2]; out.Build[0] < '0' || out.Build[0] > '9' {
			return fault("has the build number %q, which does not begin with a digit", out.Build)
		}
	}
	tags := parts[len(parts)-3:]
	out.Python, out.ABI, out.Platforms = strings.Split(tags[0], "."), strings.Split(tags[1], "."), strings.Split(tags[2], ".")
	return out, nil
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '+' || r == '!'
}

// NormalName returns the normal form of a project's name (PEP 503): lower case, with one hyphen for each run of separators.
func NormalName(name string) string {
	var b strings.Builder
	separator := false
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' || r == '.' {
			separator = true
			continue
		}
		if separator {
			b.WriteByte('-')
			separator = false
		}
		b.WriteRune(r)
	}
	if separator {
		b.WriteByte('-')
	}
	return b.String()
}
