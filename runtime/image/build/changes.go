package build

import (
	"fmt"
	"maps"
	"slices"

	"pipec.dev/pipec/runtime/image/resolve"
)

// Changes describes the packages that differ between plans, by name: "numpy 1.26.3 → 1.26.4". Platforms with the same changes are
// described once.
func Changes(old, next *Plan) []string {
	var out []string
	platforms := map[string]bool{}
	for _, p := range []*Plan{old, next} {
		for platform := range p.Platforms {
			platforms[platform] = true
		}
	}
	for _, platform := range slices.Sorted(maps.Keys(platforms)) {
		for _, change := range changes(old.Platforms[platform], next.Platforms[platform]) {
			if !slices.Contains(out, change) {
				out = append(out, change)
			}
		}
	}
	return out
}

func changes(old, next []resolve.Package) []string {
	was, is := map[string]resolve.Package{}, map[string]resolve.Package{}
	for _, p := range old {
		was[p.Name] = p
	}
	for _, p := range next {
		is[p.Name] = p
	}
	var out []string
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, before := was[name]
		b, after := is[name]
		switch {
		case !before:
			out = append(out, fmt.Sprintf("%s %s added", name, b.Version))
		case !after:
			out = append(out, fmt.Sprintf("%s %s removed", name, a.Version))
		case a.Version != b.Version:
			out = append(out, fmt.Sprintf("%s %s → %s", name, a.Version, b.Version))
		case a.SHA256 != b.SHA256:
			out = append(out, fmt.Sprintf("%s %s: another wheel", name, b.Version))
		}
	}
	return out
}
