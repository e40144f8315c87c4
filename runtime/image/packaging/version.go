// Package packaging implements the standards by which Python packages are chosen for an image: versions (PEP 440), environment
// markers (PEP 508), and the tags of wheels (PEP 425, 600 and 656). It evaluates them for the image's Python and platform, not for
// this machine. It is pure: it reads no files and makes no requests.
package packaging

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Version is a version by PEP 440.
type Version struct {
	epoch    string
	release  []string // numbers without leading zeros
	pre      string   // a, b, rc or ""
	preN     string
	post     string // number; "": none
	dev      string // number; "": none
	local    []string
	original string
}

var versionPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)` +
		`(?:[-_.]?(alpha|beta|preview|pre|a|b|c|rc)[-_.]?([0-9]*))?` +
		`(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?` +
		`(?:[-_.]?(dev)[-_.]?([0-9]*))?` +
		`(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$`)
})

// maxVersion is the length of the longest version that is parsed.
const maxVersion = 200

// ParseVersion parses a version, in any of the spellings that PEP 440 allows.
func ParseVersion(s string) (Version, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	m := versionPattern().FindStringSubmatch(text)
	if m == nil || len(text) > maxVersion {
		return Version{}, fmt.Errorf("%.200q is not a version", s)
	}
	v := Version{epoch: number(m[1]), original: text}
	for _, part := range strings.Split(m[2], ".") {
		v.release = append(v.release, number(part))
	}
	if m[3] != "" {
		v.pre, v.preN = preName(m[3]), number(m[4])
	}
	switch {
	case m[5] != "":
		v.post = number(m[5])
	case m[6] != "":
		v.post = number(m[7])
	}
	if m[8] != "" {
		v.dev = number(m[9])
	}
	if m[10] != "" {
		v.local = strings.FieldsFunc(m[10], func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	}
	return v, nil
}

func preName(s string) string {
	switch s {
	case "alpha":
		return "a"
	case "beta":
		return "b"
	case "c", "pre", "preview":
		return "rc"
	}
	return s
}

// number returns digits without leading zeros. Versions may be dates and hashes, which are larger than any integer type.
func number(digits string) string {
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	return digits
}

func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// Compare orders versions.
func (v Version) Compare(o Version) int {
	return cmp.Or(v.comparePublic(o), compareLocal(v.local, o.local))
}

func (v Version) comparePublic(o Version) int {
	if c := cmp.Or(compareNumbers(v.epoch, o.epoch), compareRelease(v.release, o.release)); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(v.phase(), o.phase()), strings.Compare(v.pre, o.pre), compareNumbers(v.preN, o.preN),
		compareOptional(v.post, o.post, -1), compareOptional(v.dev, o.dev, 1))
}

// phase orders development releases of a release before its pre-releases, and those before the release itself.
func (v Version) phase() int {
	switch {
	case v.pre == "" && v.post == "" && v.dev != "":
		return 0
	case v.pre != "":
		return 1
	}
	return 2
}

// compareOptional compares numbers, of which an absent one is less (-1) or greater (1) than any other.
func compareOptional(a, b string, absent int) int {
	switch {
	case a == "" && b == "":
		return 0
	case a == "":
		return absent
	case b == "":
		return -absent
	}
	return compareNumbers(a, b)
}

func compareRelease(a, b []string) int {
	for i := range max(len(a), len(b)) {
		if c := compareNumbers(at(a, i), at(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return "0"
}

func compareLocal(a, b []string) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		nx, okx := new(big.Int).SetString(x, 10)
		ny, oky := new(big.Int).SetString(y, 10)
		switch {
		case okx && oky:
			return nx.Cmp(ny)
		case okx:
			return 1 // numbers are greater than words
		case oky:
			return -1
		}
		return strings.Compare(x, y)
	})
}

// SameVersion reports whether two texts are the same version.
func SameVersion(a, b string) bool {
	v, err := ParseVersion(a)
	w, err2 := ParseVersion(b)
	if err != nil || err2 != nil {
		return a == b
	}
	return v.Compare(w) == 0
}
