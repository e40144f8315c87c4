package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"pipec.dev/pipec/schema/program"
)

// AgentRepository is what the image of pipec-agent is called beneath a registry's URI.
const AgentRepository = "pipec-agent"

// ImageReference is the reference that a step's `image` stands for, and the key of it in the lock: the text itself, or
// what the image block it names is: its base where there is nothing to build, and else its place in the stack's registry,
// for which built is true. "" where the step has no image, or the block has a place and the stack no registry.
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
		if block.Dockerfile == "" && len(block.Requirements) == 0 && len(block.Packages) == 0 {
			return block.Base, false
		}
		if r == nil || r.URI == "" {
			return "", true
		}
		return Repository(r, p.Project, name) + ":" + imageTag(block), true
	}
	return "", false
}

// Repository is a place beneath the registry's URI. Of parts those that are "" are left out.
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

// Pinned is the reference with its digest: what a pod names. One that has a digest already stays.
func Pinned(ref, digest string) string {
	if digest == "" || strings.Contains(ref, "@") {
		return ref
	}
	return ref + "@" + digest
}
