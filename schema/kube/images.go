package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"pipec.dev/pipec/schema/program"
)

// AgentRepository is the name of the image of pipec-agent below the URI of a registry.
const AgentRepository = "pipec-agent"

// ImageReference returns the reference of a step's image, which is also its key in the lock: the text of `image` itself, the base
// of the image block that it names if nothing is built from the block, or else the block's repository in the stack's registry.
// built is true in the last case. The reference is "" if the step has no image, or the stack has no registry for the block.
func ImageReference(p *program.Program, r *program.Registry, image string) (ref string, built bool) {
	name, isBlock := strings.CutPrefix(image, "image.")
	if !isBlock {
		return image, false
	}
	for i := range p.Images {
		block := &p.Images[i]
		if block.Name != name {
			continue
		}
		if !block.Foundation() && !block.Layered() {
			return block.Base, false
		}
		if r == nil || r.URI == "" {
			return "", true
		}
		return Repository(r, p.Project, name) + ":" + imageTag(block), true
	}
	return "", false
}

// Repository returns a name below the URI of a registry. It leaves out parts that are "".
func Repository(r *program.Registry, parts ...string) string {
	out := strings.TrimRight(r.URI, "/")
	for _, part := range parts {
		if part != "" {
			out += "/" + Name(part, MaxName)
		}
	}
	return out
}

// imageTag is a digest of what the block says, so that an image is built again when that changes.
func imageTag(block *program.Image) string {
	data, _ := json.Marshal(block) // strings only: never fails
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:16]
}

// Pinned returns the reference with its digest, for use in a pod. A reference that has a digest is not changed.
func Pinned(ref, digest string) string {
	if digest == "" || strings.Contains(ref, "@") {
		return ref
	}
	return ref + "@" + digest
}
