package pod

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
)

// The versions of Kubernetes that have a feature enabled by default:
const (
	// ImageVolumeFrom is the first version with volumes from images, if they are enabled.
	ImageVolumeFrom = "1.33"
	// imageVolumesFrom has them always.
	imageVolumesFrom = "1.36"
	// restartsFrom restarts a container in its pod by its exit code.
	restartsFrom = "1.35"
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
	case AtLeast(version, imageVolumesFrom):
		return WrapperImage
	}
	return WrapperInit
}

// AtLeast reports whether a version that a cluster reports ("v1.37.2", "1.35+", "v1.36.1-eks-5d4a308") is from or newer. It returns
// false for a version that is unknown or cannot be parsed.
func AtLeast(have, from string) bool {
	v, err := version.ParseGeneric(strings.TrimSuffix(have, "+"))
	return err == nil && v.AtLeast(version.MustParseGeneric(from))
}

// digestOf is the digest that a reference is pinned by, or "".
func digestOf(ref string) string {
	_, digest, _ := strings.Cut(ref, "@")
	return digest
}
