package pods

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// names checks the attributes that name objects of the cluster.
func (c specCheck) names() {
	b := c.block
	if name := attribute.ObjectName(c.project, b, "priority_class", validation.IsDNS1123Subdomain); name != "" {
		c.fields["priorityClassName"] = name
	}
	if name := attribute.ObjectName(c.project, b, "runtime_class", validation.IsDNS1123Subdomain); name != "" {
		c.fields["runtimeClassName"] = name
	}
	setList(c.fields, "imagePullSecrets", c.pullSecrets(b))
}

// pullSecrets returns the Secrets for pulling images that a block lists.
func (r reader) pullSecrets(b *decode.Block) []corev1.LocalObjectReference {
	var secrets []corev1.LocalObjectReference
	for i, name := range r.project.Attributes.Strings(b, "image_pull_secrets") {
		at := evaluate.Element(b.Attr("image_pull_secrets"), i).Range()
		switch ref := (corev1.LocalObjectReference{Name: name}); {
		case len(validation.IsDNS1123Subdomain(name)) > 0:
			r.diags.Add(diag.New("invalid-name", at, "%q is not a valid Kubernetes name of a Secret", name))
		case slices.Contains(secrets, ref):
			r.diags.Add(diag.New("duplicate", at, "the list contains the Secret %q twice", name))
		default:
			secrets = append(secrets, ref)
		}
	}
	return secrets
}
