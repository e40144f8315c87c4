package image

import (
	"maps"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/build"
	"pipec.dev/pipec/schema/program"
)

// forget removes from the lock what the stack no longer uses, and the entries of stacks that are no longer declared. An
// image remains as long as another stack uses it, and the agent of a registry as long as any stack uses it.
func forget(l *program.Lock, stack *program.Stack, declared []string, wants []Want) []Item {
	used := map[string]bool{}
	for _, w := range wants {
		if w.Kind == KindCode {
			used[program.LockedCodeKey(stack.Name, w.Name)] = true
		} else {
			used[KindImage+w.Ref] = true
		}
	}
	var out []Item
	for _, key := range slices.Sorted(maps.Keys(l.Codes)) {
		of, name, _ := strings.Cut(key, "/")
		if of == stack.Name && !used[key] || !slices.Contains(declared, of) {
			out = append(out, Item{Kind: KindCode, Name: name, Digest: l.Codes[key].Digest, Status: Forgotten})
			delete(l.Codes, key)
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(l.Images)) {
		image := l.Images[ref]
		image.Stacks = slices.DeleteFunc(slices.Clone(image.Stacks), func(s string) bool {
			return s == stack.Name && !used[KindImage+ref] || !slices.Contains(declared, s)
		})
		if len(image.Stacks) > 0 {
			l.Images[ref] = image
			continue
		}
		out = append(out, Item{Kind: KindImage, Name: ref, Ref: ref, Digest: image.Digest, Status: Forgotten})
		delete(l.Images, ref)
	}
	forgetBuilds(l, stack, declared, wants)
	for _, name := range slices.Sorted(maps.Keys(l.Clusters)) {
		if !slices.Contains(declared, name) {
			out = append(out, Item{Kind: KindCluster, Name: name, Status: Forgotten})
			delete(l.Clusters, name)
		}
	}
	return out
}

// forgetBuilds removes the packages of image blocks that no stack uses.
func forgetBuilds(l *program.Lock, stack *program.Stack, declared []string, wants []Want) {
	for _, name := range slices.Sorted(maps.Keys(l.Builds)) {
		used := slices.ContainsFunc(wants, func(w Want) bool { return w.block != nil && w.Name == name })
		of := l.Builds[name]
		of.Stacks = slices.DeleteFunc(slices.Clone(of.Stacks), func(s string) bool {
			return s == stack.Name && !used || !slices.Contains(declared, s)
		})
		if len(of.Stacks) == 0 {
			build.Forget(l, name)
			continue
		}
		l.Builds[name] = of
	}
}
