// Package pods checks what a step sets for its pod: image, resources, security, volumes, containers, scheduling and the
// attribute `pod`, a patch of Kubernetes' own types. All of it is known when compiling. It fills in Pod, Variants and Claims
// of the steps of the checked model, and the image and the labels of the pipeline.
//
// The complete pod of a step is built by schema/kube/pod, from this and from the stack.
package pods

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// Check checks the pods of a pipeline whose blocks package pipelines has checked.
func Check(p *model.Pipeline) {
	r := reader{project: p.Project.Evaluated, diags: p.Project.Evaluated.Diags}
	p.Labels = r.ownLabels(p.Block)
	p.Image = r.image(p.Block)
	for _, s := range p.Steps {
		if !s.IsApproval() {
			instances{reader: r, pipeline: p, step: s}.check()
		}
	}
}

// podCheck checks one pod of a step: that of all its instances, or that of one of them.
type podCheck struct {
	reader
	pipeline *model.Pipeline
	step     *model.Step
	pod      model.Pod
	claims   []model.Claim
}

// check fills in the pod.
func (c *podCheck) check() {
	b, p := c.step.Block, &c.pod
	before := c.diags.Len()
	if p.Image = c.image(b); p.Image == "" && c.diags.Len() == before { // also where the image is null
		p.Image = c.pipeline.Image
	}
	p.NodeSelector = c.labels(b, "node_selector")
	p.ServiceAccount = attribute.ObjectName(c.project, b, "service_account", validation.IsDNS1123Subdomain)
	p.Labels = c.ownLabels(b)
	p.Annotations = c.ownAnnotations(b)
	if b.Attr("pipeline") != nil {
		return
	}
	p.Secrets = c.secrets()
	if r := b.One("resources"); r != nil {
		resourceCheck{reader: c.reader, block: r, pod: p}.check()
	}
	if s := b.One("security"); s != nil {
		p.Security = securityCheck{reader: c.reader, block: s}.check()
	}
	c.spec()
}

// secrets checks the keys of Secrets that variables are taken from.
func (c *podCheck) secrets() []program.Secret {
	var out []program.Secret
	for _, b := range c.step.Secrets {
		secret := attribute.ObjectName(c.project, b, "secret", validation.IsDNS1123Subdomain)
		key := attribute.ObjectName(c.project, b, "key", validation.IsConfigMapKey)
		if secret != "" && key != "" {
			out = append(out, program.Secret{Name: b.Label, Secret: secret, Key: key})
		}
	}
	slices.SortFunc(out, func(a, b program.Secret) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// image returns "image.NAME" for a declared image, or the reference of a registry as it is written.
func (r reader) image(b *decode.Block) string {
	e := b.Attr("image")
	if e == nil {
		return ""
	}
	if t, hclDiags := hcl.AbsTraversalForExpr(e); !hclDiags.HasErrors() && t.RootName() == "image" {
		if name := attribute.Declared(r.project, b, "image", r.project.Images); name != "" {
			return "image." + name
		}
		return ""
	}
	defer r.project.Scope.With("image", r.images(e))()
	s, ok := r.project.Attributes.String(b, "image")
	if ok && s == "" {
		r.diags.Add(diag.New("invalid-value", e.Range(), "an image can't be empty"))
	}
	return s
}

// images returns the values of image.NAME in an expression that chooses an image, and marks those that it names as used.
func (r reader) images(e hcl.Expression) map[string]cty.Value {
	out := map[string]cty.Value{}
	for name := range r.project.Images {
		out[name] = cty.StringVal("image." + name)
	}
	for _, t := range e.Variables() {
		if len(t) > 1 && t.RootName() == "image" {
			if name, ok := t[1].(hcl.TraverseAttr); ok {
				r.project.Use(r.project.Images, name.Name)
			}
		}
	}
	return out
}
