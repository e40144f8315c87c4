package packaging

import (
	"fmt"
	"strings"
)

// operators are the operators of version specifiers, longer ones first.
func operators() []string { return []string{"===", "==", "!=", "~=", ">=", "<=", ">", "<"} }

// Matches reports whether a version satisfies all specifiers, such as ">=3.9,<4". Pre-releases may match.
func Matches(specifiers, version string) (bool, error) {
	for _, s := range strings.Split(specifiers, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		ok, err := matchesOne(s, version)
		if !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func matchesOne(s, version string) (bool, error) {
	for _, op := range operators() {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return compare(op, version, strings.TrimSpace(rest))
		}
	}
	return false, fmt.Errorf("%.100q is not a version specifier", s)
}

// compare compares a version by an operator.
func compare(op, version, with string) (bool, error) {
	if op == "===" {
		return strings.EqualFold(version, with), nil
	}
	v, err := ParseVersion(version)
	if err != nil {
		return false, err
	}
	prefix, wildcard := strings.CutSuffix(with, ".*")
	w, err := ParseVersion(prefix)
	if err != nil {
		return false, err
	}
	if wildcard && op != "==" && op != "!=" {
		return false, fmt.Errorf("%s%s: only == and != allow .*", op, with)
	}
	switch op {
	case "==":
		return equal(v, w, wildcard), nil
	case "!=":
		return !equal(v, w, wildcard), nil
	case "~=":
		if len(w.release) < 2 {
			return false, fmt.Errorf("~=%s requires a version with two parts", with)
		}
		return v.comparePublic(w) >= 0 && prefixOf(v, w, len(w.release)-1), nil
	case ">=":
		return v.comparePublic(w) >= 0, nil
	case "<=":
		return v.comparePublic(w) <= 0, nil
	case ">":
		// >1.7 excludes 1.7.post1 and 1.7+local, unless the specifier is a post-release itself.
		if v.comparePublic(w) <= 0 || w.post == "" && v.post != "" && compareRelease(v.release, w.release) == 0 && v.epoch == w.epoch {
			return false, nil
		}
		return true, nil
	default: // <
		// <1.7 excludes pre-releases of 1.7, unless the specifier is a pre-release itself.
		pre := v.pre != "" || v.dev != ""
		if v.comparePublic(w) >= 0 || w.pre == "" && w.dev == "" && pre && compareRelease(v.release, w.release) == 0 && v.epoch == w.epoch {
			return false, nil
		}
		return true, nil
	}
}

func equal(v, w Version, wildcard bool) bool {
	switch {
	case wildcard:
		return prefixOf(v, w, len(w.release)) && (w.pre == "" || v.pre == w.pre && v.preN == w.preN)
	case len(w.local) == 0:
		return v.comparePublic(w) == 0
	}
	return v.Compare(w) == 0
}

// prefixOf reports whether the first n parts of the releases are equal.
func prefixOf(v, w Version, n int) bool {
	if v.epoch != w.epoch {
		return false
	}
	for i := range n {
		if at(v.release, i) != at(w.release, i) {
			return false
		}
	}
	return true
}
