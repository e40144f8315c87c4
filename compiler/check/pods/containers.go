package pods

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kube"
)

// containerCheck checks the `sidecar` and `init` blocks of a step.
type containerCheck struct {
	reader
	volumes *volumeCheck // whose volumes the containers can mount
}

// check sets the init containers of the pod, and returns their names. A sidecar is an init container that Kubernetes
// restarts. Sidecars come first, sorted by name; the others follow in source order, in which they are run.
func (c containerCheck) check(step *decode.Block, f fields) map[string]bool {
	blocks := c.blocks(step)
	if len(blocks) == 0 {
		return nil
	}
	var out []any
	names, first := map[string]bool{}, map[string]hcl.Range{}
	for _, b := range blocks {
		if names[b.Label] {
			c.diags.Add(diag.New("duplicate", b.LabelRange, "two containers are named %q", b.Label).WithRelated(first[b.Label], "the first one is here"))
			continue
		}
		names[b.Label], first[b.Label] = true, b.LabelRange
		if c.partName(b); b.Label == kube.ContainerMain {
			c.diags.Add(diag.New("invalid-name", b.LabelRange, "the name %q is reserved for the step's own container", b.Label))
		}
		out = append(out, c.container(b))
	}
	setList(f, "initContainers", out)
	return names
}

// blocks returns the blocks of the containers in the order of the pod.
func (c containerCheck) blocks(step *decode.Block) []*decode.Block {
	sidecars := step.All("sidecar")
	slices.SortStableFunc(sidecars, func(a, b *decode.Block) int { return strings.Compare(a.Label, b.Label) })
	return append(sidecars, step.All("init")...)
}

// container returns a container in the JSON form of a PodSpec.
func (c containerCheck) container(b *decode.Block) map[string]any {
	out := map[string]any{"name": b.Label}
	if b.Def.Name == "sidecar" {
		out["restartPolicy"] = "Always"
	}
	image, ok := c.project.Attributes.String(b, "image")
	if ok && strings.TrimSpace(image) != image || ok && image == "" {
		c.diags.Add(diag.New("invalid-value", b.Attr("image").Range(), "%q is not a valid image reference", image))
	}
	out["image"] = image
	if list := c.project.Attributes.Strings(b, "command"); len(list) > 0 {
		out["command"] = list
	}
	if list := c.project.Attributes.Strings(b, "args"); len(list) > 0 {
		out["args"] = list
	}
	var env []any
	values := c.project.Attributes.StringMap(b, "env")
	for _, name := range evaluate.Names(values) {
		at := evaluate.KeyRange(b.Attr("env"), name)
		if len(validation.IsEnvVarName(name)) > 0 {
			c.diags.Add(diag.New("invalid-name", at, "%q is not a valid name of an environment variable", name))
		} else if strings.HasPrefix(name, "PIPEC_") {
			c.diags.Add(diag.New("invalid-name", at, "%s is reserved: pipec sets the variables that start with PIPEC_", name))
		}
		env = append(env, map[string]any{"name": name, "value": values[name]})
	}
	if env != nil {
		out["env"] = env
	}
	if mounts := c.mounts(b); mounts != nil {
		out["volumeMounts"] = mounts
	}
	requests, limits := map[string]any{}, map[string]any{}
	if q := c.quantity(b, "cpu"); q != "" {
		requests["cpu"] = q
	}
	if q := c.quantity(b, "memory"); q != "" {
		requests["memory"], limits["memory"] = q, q
	}
	resources := map[string]any{}
	if len(requests) > 0 {
		resources["requests"] = requests
	}
	if len(limits) > 0 {
		resources["limits"] = limits
	}
	if len(resources) > 0 {
		out["resources"] = resources
	}
	return out
}

// mounts returns the volume mounts of a container.
func (c containerCheck) mounts(b *decode.Block) []any {
	var out []any
	at, paths := c.project.Attributes.StringMap(b, "mounts"), map[string]hcl.Range{}
	for _, name := range evaluate.Names(at) {
		e := evaluate.Part(b.Attr("mounts"), name)
		v := c.volumes.declared[name]
		if v == nil {
			c.diags.Add(diag.New("unknown-reference", evaluate.KeyRange(b.Attr("mounts"), name), "the step has no volume %q", name).
				DidYouMean(name, evaluate.Names(c.volumes.declared)))
			continue
		}
		m := map[string]any{"name": name, "mountPath": c.volumes.mountPath(e, at[name], paths)}
		mode, _ := c.project.Attributes.String(v, "access_mode")
		if readOnly, _ := c.project.Attributes.Bool(v, "read_only"); readOnly || mode == "ReadOnlyMany" {
			m["readOnly"] = true
		}
		out = append(out, m)
	}
	return out
}
