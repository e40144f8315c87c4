package pod

import (
	"strings"

	"pipec.dev/pipec/schema/kube"
)

// The versions of Kubernetes that have a feature enabled by default:
const (
	imageVolumesFrom = "1.36" // an image can be mounted as a volume
	restartsFrom     = "1.35" // a container is restarted in its pod, by its exit code
)

// The ways in which the agent gets into the pod of a step.
const (
	WrapperImage = "image" // a volume of the agent's image
	WrapperInit  = "init"  // an init container that copies it
	// WrapperIncluded means that the images of the steps contain the agent, at kube.AgentPath.
	WrapperIncluded = "included"
)

// wrapper chooses the way: what the stack says, else what is known of the nodes, else what the version has.
func wrapper(stack, nodes, version string) string {
	switch {
	case stack == WrapperImage || stack == WrapperInit || stack == WrapperIncluded:
		return stack
	case nodes != "":
		return nodes
	case kube.AtLeast(version, imageVolumesFrom):
		return WrapperImage
	}
	return WrapperInit
}

// digestOf is the digest that a reference is pinned by, or "".
func digestOf(ref string) string {
	_, digest, _ := strings.Cut(ref, "@")
	return digest
}
