package kube

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
)

// ImageVolumeFrom is the version of Kubernetes from which on nodes can mount an image as a volume, if that is enabled.
const ImageVolumeFrom = "1.33"

// AtLeast reports whether a version, as a cluster reports it ("v1.37.2", "1.35+", "v1.36.1-eks-5d4a308"), is from or later.
// It is false for a version that is not known or can't be parsed.
func AtLeast(have, from string) bool {
	v, err := version.ParseGeneric(strings.TrimSuffix(have, "+"))
	return err == nil && v.AtLeast(version.MustParseGeneric(from))
}
