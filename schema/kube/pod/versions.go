package pod

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
)

// The versions of Kubernetes from which on it has, without being told to:
const (
	// ImageVolumeFrom has volumes from images at all, where they are switched on.
	ImageVolumeFrom = "1.33"
	// imageVolumesFrom has them always.
	imageVolumesFrom = "1.36"
	// restartsFrom restarts a container in its pod by its exit code.
	restartsFrom = "1.35"
)

// The ways of the agent into a step's pod.
const (
	WrapperImage = "image" // a volume of the agent's image
	WrapperInit  = "init"  // an init container that copies it
	// WrapperIncluded says that it is in the images of the steps, at kube.AgentPath.
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

// AtLeast says whether a version, as a cluster tells it ("v1.37.2", "1.35+", "v1.36.1-eks-5d4a308"), is from on. One that
// isn't known or can't be read is not.
func AtLeast(have, from string) bool {
	v, err := version.ParseGeneric(strings.TrimSuffix(have, "+"))
	return err == nil && v.AtLeast(version.MustParseGeneric(from))
}

// digestOf is the digest that a reference is pinned by, or "".
func digestOf(ref string) string {
	_, digest, _ := strings.Cut(ref, "@")
	return digest
}
