package model

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/schema/program"
)

// Pod is what the attributes and blocks of a step set for its pod.
type Pod struct {
	Image          string // image.NAME for an `image` block, otherwise a reference of a registry; "": none
	Secrets        []program.Secret
	Resources      *program.Resources
	NodeSelector   map[string]string
	ServiceAccount string
	Labels         map[string]string
	Annotations    map[string]string
	Security       *program.Security
	Patch          json.RawMessage // a strategic merge patch for the PodSpec, from blocks and the attribute `pod`
}

// Claim is a PersistentVolumeClaim that a step mounts.
type Claim struct {
	Name, Mode string
	At         hcl.Range
	Instances  int // how many instances of the step mount it; 0: all
}
