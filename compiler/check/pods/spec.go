package pods

import (
	"encoding/json"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/podspec"
	"pipec.dev/pipec/schema/kube/pod"
)

// fields are fields of a PodSpec by their names in JSON.
type fields map[string]any

// setList sets a field to a list, unless the list is empty.
func setList[T any](f fields, name string, items []T) {
	if len(items) > 0 {
		f[name] = items
	}
}

// spec checks the blocks and attributes that set fields of the PodSpec, and `pod`, which is merged into them.
func (c *podCheck) spec() {
	f := fields{}
	v := volumeCheck{reader: c.reader, security: c.pod.Security}
	v.check(c.step.Block, f)
	c.claims = v.claims
	names := containerCheck{reader: c.reader, volumes: &v}.check(c.step.Block, f)
	s := specCheck{reader: c.reader, block: c.step.Block, fields: f}
	s.tolerations()
	s.affinity()
	s.spread()
	s.dns()
	s.names()
	s.hostAliases()
	c.patch(f, names)
}

// mergedFields are the fields whose items `pod` can add to or extend.
var mergedFields = []string{"volumes", "initContainers", "containers"}

// patch merges `pod` into the fields that blocks and attributes set. A field that both set is an error, because one of the two
// values would be lost silently.
func (c *podCheck) patch(f fields, containers map[string]bool) {
	b := c.step.Block
	patch := c.given(containers)
	if patch != nil {
		var given map[string]json.RawMessage
		if json.Unmarshal(patch, &given) == nil {
			for _, name := range evaluate.Names(given) {
				if _, both := f[name]; both && !slices.Contains(mergedFields, name) {
					at := evaluate.KeyRange(c.project.Values.Follow(b.Attr("pod")), name)
					c.diags.Add(diag.New("duplicate", at, "`%s` is set both by the step's attributes or blocks and by `pod`", name))
				}
			}
		}
	}
	if len(f) == 0 {
		c.pod.Patch = patch
		return
	}
	under, err := json.Marshal(f)
	if err == nil {
		c.pod.Patch, err = pod.Merge(under, patch)
	}
	if err != nil { // cannot happen with checked values
		c.diags.Add(diag.New("evaluation", b.DefRange, "the pod of %s can't be encoded: %v", attribute.Describe(b), err))
	}
}

// given checks the attribute `pod`. containers are the names of the containers that blocks declare. It returns nil if there is
// no patch, or an invalid one.
func (c *podCheck) given(containers map[string]bool) json.RawMessage {
	e := c.step.Block.Attr("pod")
	if e == nil {
		return nil
	}
	v, ok := c.project.Constants.Const(e)
	if !ok {
		return nil
	}
	if evaluate.IsSensitive(v) {
		c.diags.Add(c.project.Values.SensitiveFault(e))
		return nil
	}
	host := c.pod.Security != nil && c.pod.Security.HostPaths
	return podspec.Check(c.project, e, v, podspec.Options{HostPaths: host, Containers: containers})
}

// sorted sorts items whose order has no meaning by their JSON, so that the order of blocks does not change the program, and
// removes duplicates.
func sorted[T any](items []T) []T {
	text := func(v T) string { data, _ := json.Marshal(v); return string(data) }
	slices.SortStableFunc(items, func(a, b T) int { return strings.Compare(text(a), text(b)) })
	return slices.CompactFunc(items, func(a, b T) bool { return text(a) == text(b) })
}
