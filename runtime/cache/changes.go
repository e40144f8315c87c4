package cache

import (
	"maps"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/step"
)

// changes names the parts in which two cache keys differ, sorted. packages names the packages that differ.
func changes(was, is map[string]string, packages func() []string) []string {
	names := map[string]bool{}
	for name := range was {
		names[name] = true
	}
	for name := range is {
		names[name] = true
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, now := was[name], is[name]
		switch {
		case old == now:
		case name == step.PartPackages:
			out = append(out, packages()...)
		case name == step.PartInterpreter:
			out = append(out, name+versions(version(old), version(now)))
		default:
			out = append(out, name)
		}
	}
	return out
}

// version returns the first word of a part.
func version(part string) string {
	first, _, _ := strings.Cut(part, " ")
	return first
}

// versions describes a change from one version to another; "" if they don't differ.
func versions(was, is string) string {
	if was == is || was == "" || is == "" {
		return ""
	}
	return " " + was + " → " + is
}

// maxPackages is how many packages are named.
const maxPackages = 10

// packageChanges names the packages in which two lists differ, sorted. The lists are those of step.Key.Packages.
func packageChanges(was, is []string) []string {
	old, now := packageVersions(was), packageVersions(is)
	names := map[string]bool{}
	for name := range old {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := old[name], now[name]
		switch {
		case slices.Equal(a, b):
			continue
		case len(out) == maxPackages:
			return append(out, "other packages")
		case len(a) == 0:
			out = append(out, "package "+name+" "+strings.Join(b, ", ")+" (added)")
		case len(b) == 0:
			out = append(out, "package "+name+" "+strings.Join(a, ", ")+" (removed)")
		default:
			out = append(out, "package "+name+versions(strings.Join(a, ", "), strings.Join(b, ", ")))
		}
	}
	return out
}

// packageVersions returns the versions of packages by name. An entry is DIRECTORY/NAME-VERSION.dist-info, or
// DIRECTORY/NAME.pth and a digest.
func packageVersions(entries []string) map[string][]string {
	out := map[string][]string{}
	for _, entry := range entries {
		_, file, ok := strings.Cut(entry, "/")
		if !ok {
			continue
		}
		name, version := file, ""
		if file, digest, ok := strings.Cut(file, " "); ok {
			name, version = file, strings.TrimPrefix(digest, "sha256:")[:min(7, len(strings.TrimPrefix(digest, "sha256:")))]
		} else {
			for _, ending := range []string{".dist-info", ".egg-info", ".egg-link"} {
				file = strings.TrimSuffix(file, ending)
			}
			if name, version, ok = strings.Cut(file, "-"); !ok {
				name = file
			}
		}
		out[name] = append(out[name], version)
	}
	return out
}
