package build

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/runtime/image/resolve"
)

// SBOMType is the media type of a CycloneDX document, and the artifact type of the referrer that has one.
const SBOMType = "application/vnd.cyclonedx+json"

// The parts of CycloneDX 1.5 that are written. There is neither a time nor a random serial number: the same image has the same
// document, so that pushing it again changes nothing.
type (
	sbom struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Metadata   metadata    `json:"metadata"`
		Components []component `json:"components"`
	}
	metadata struct {
		Component component `json:"component"`
	}
	component struct {
		Type       string      `json:"type"`
		Ref        string      `json:"bom-ref"`
		Name       string      `json:"name"`
		Version    string      `json:"version"`
		Hashes     []sum       `json:"hashes,omitempty"`
		PURL       string      `json:"purl,omitempty"`
		References []reference `json:"externalReferences,omitempty"`
	}
	sum struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	reference struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	}
)

// document returns the SBOM of an image: its base, and its packages in the order of their names.
func document(repository, digest, base string, packages []resolve.Package) ([]byte, error) {
	image := component{Type: "container", Ref: repository + "@" + digest, Name: repository, Version: digest}
	out := sbom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{image}}
	name, pinned, _ := strings.Cut(base, "@")
	out.Components = []component{{Type: "container", Ref: base, Name: name, Version: pinned}}
	for _, p := range slices.SortedFunc(slices.Values(packages), func(a, b resolve.Package) int { return strings.Compare(a.Name, b.Name) }) {
		purl := "pkg:pypi/" + p.Name + "@" + strings.ReplaceAll(url.PathEscape(p.Version), "+", "%2B")
		c := component{Type: "library", Ref: purl, Name: p.Name, Version: p.Version, PURL: purl, Hashes: []sum{{"SHA-256", p.SHA256}}}
		if at, ok := public(p.URL); ok {
			c.References = []reference{{"distribution", at}}
		}
		out.Components = append(out.Components, c)
	}
	return json.MarshalIndent(out, "", "  ")
}

// public returns the address of a wheel without its query, which may be a signature. A path of the project has no meaning elsewhere.
func public(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), true
}

// Attach pushes the SBOM of each platform's image as a referrer of that image, which has been pushed. If the registry has no API for
// referrers, they are listed by the tag sha256-DIGEST, as the OCI distribution specification describes.
func (b *Builder) Attach(ctx context.Context, p *Plan, o *Built) error {
	to, err := registry.Parse(o.reference)
	if err != nil {
		return err
	}
	repository := to.Context().Name()
	for _, platform := range slices.Sorted(maps.Keys(o.images)) {
		image := o.images[platform]
		subject, err := partial.Descriptor(image)
		if err != nil {
			return err
		}
		// Only these three fields identify a subject.
		subject = &v1.Descriptor{MediaType: subject.MediaType, Size: subject.Size, Digest: subject.Digest}
		data, err := document(repository, subject.Digest.String(), p.Base, p.Platforms[platform])
		if err != nil {
			return err
		}
		artifact, err := referrer(*subject, data)
		if err != nil {
			return err
		}
		digest, err := artifact.Digest()
		if err != nil {
			return err
		}
		if err := b.Registry.Push(ctx, repository+"@"+digest.String(), artifact, nil); err != nil {
			return fmt.Errorf("the SBOM for %s: %w", platform, err)
		}
	}
	return nil
}

// referrer returns an image that consists of a document, and refers to a subject.
func referrer(subject v1.Descriptor, data []byte) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), SBOMType)
	image, err := mutate.Append(image, mutate.Addendum{Layer: static.NewLayer(data, SBOMType), MediaType: SBOMType})
	if err != nil {
		return nil, err
	}
	out, ok := mutate.Subject(image, subject).(v1.Image)
	if !ok {
		return nil, fmt.Errorf("the referrer is not an image")
	}
	return out, nil
}
