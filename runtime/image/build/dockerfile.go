package build

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/layers"
	"pipec.dev/pipec/runtime/image/resolve"
)

// Dockerfile returns a Dockerfile that builds an equivalent image: the same packages in the same environment. below is the Dockerfile of
// the base, or "" if the base is not built.
func (p *Plan) Dockerfile(below string) string {
	if below == "" {
		below = "FROM " + p.Base + "\n"
	}
	var hashes strings.Builder
	for _, line := range p.requirements() {
		hashes.WriteString(line + "\n")
	}
	options := ""
	if p.Block.IndexURL != "" {
		options += " --index-url " + p.Block.IndexURL
	}
	for _, at := range p.Block.ExtraIndexes {
		options += " --extra-index-url " + at
	}
	return fmt.Sprintf(`# syntax=docker/dockerfile:1
%s
RUN python3 -m venv --system-site-packages %s
ENV VIRTUAL_ENV=%s PATH=%s/bin:$PATH
COPY <<END /tmp/requirements.txt
%sEND
RUN pip install --no-cache-dir --no-compile --no-deps --only-binary=:all: --require-hashes%s -r /tmp/requirements.txt
`, strings.TrimRight(below, "\n"), layers.Root, layers.Root, layers.Root, hashes.String(), options)
}

// requirements returns a requirement with hashes for each package. Platforms may have different wheels of one version.
func (p *Plan) requirements() []string {
	found := map[string][]string{}
	for _, platform := range slices.Sorted(maps.Keys(p.Platforms)) {
		for _, w := range p.Platforms[platform] {
			key := w.Name + "==" + w.Version
			if hash := " --hash=sha256:" + w.SHA256; !slices.Contains(found[key], hash) {
				found[key] = append(found[key], hash)
			}
		}
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(found)) {
		out = append(out, key+strings.Join(found[key], "")+p.marker(key))
	}
	return out
}

// marker returns a marker for a package that only some platforms have.
func (p *Plan) marker(key string) string {
	var machines []string
	for _, platform := range slices.Sorted(maps.Keys(p.Platforms)) {
		if slices.ContainsFunc(p.Platforms[platform], func(w resolve.Package) bool { return w.Name+"=="+w.Version == key }) {
			machines = append(machines, platform)
		}
	}
	if len(machines) == len(p.Platforms) {
		return ""
	}
	return "  # only for " + strings.Join(machines, ", ")
}
