package pods

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// sources are the attributes that determine the kind of a volume, and for each the other attributes that it can be combined
// with.
var sources = map[string][]string{
	"claim": {"access_mode"}, "ephemeral": {"access_mode", "storage_class"}, "scratch": nil, "memory": nil,
	"secret": {"items"}, "config_map": {"items"}, "host_path": nil,
}

// volumeCheck checks the `volume` blocks of a step.
type volumeCheck struct {
	reader
	security *program.Security        // of the step; nil: none is set
	declared map[string]*decode.Block // the volumes by name
	claims   []model.Claim            // the claims that are mounted
}

// check sets the volumes of the pod, and where the step's own container mounts them.
func (c *volumeCheck) check(step *decode.Block, f fields) {
	blocks := step.All("volume")
	if len(blocks) == 0 {
		return
	}
	c.declared = map[string]*decode.Block{}
	paths := map[string]hcl.Range{}
	var volumes []corev1.Volume
	var mounts []corev1.VolumeMount
	for _, b := range blocks {
		if first, twice := c.declared[b.Label]; twice {
			c.diags.Add(diag.New("duplicate", b.LabelRange, "volume %q is declared twice", b.Label).WithRelated(first.LabelRange, "the first declaration is here"))
			continue
		}
		c.declared[b.Label] = b
		c.partName(b)
		readOnly, _ := c.project.Attributes.Bool(b, "read_only")
		mode, _ := c.project.Attributes.String(b, "access_mode")
		if mode == "" {
			mode = string(corev1.ReadWriteOnce)
		}
		readOnly = readOnly || mode == string(corev1.ReadOnlyMany)
		if source := c.source(b); source != "" {
			v := corev1.Volume{Name: b.Label}
			c.fill(b, source, &v, corev1.PersistentVolumeAccessMode(mode), readOnly)
			volumes = append(volumes, v)
		}
		m := corev1.VolumeMount{Name: b.Label, ReadOnly: readOnly}
		if where, ok := c.project.Attributes.String(b, "path"); ok {
			m.MountPath = c.mountPath(b.Attr("path"), where, paths)
		}
		if m.SubPath, _ = c.project.Attributes.String(b, "sub_path"); m.SubPath != "" && (path.IsAbs(m.SubPath) || slices.Contains(strings.Split(m.SubPath, "/"), "..")) {
			c.diags.Add(diag.New("invalid-value", b.Attr("sub_path").Range(), "`sub_path` must be a relative path without .."))
		}
		mounts = append(mounts, m)
	}
	slices.SortFunc(volumes, func(a, b corev1.Volume) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(mounts, func(a, b corev1.VolumeMount) int { return strings.Compare(a.MountPath, b.MountPath) })
	setList(f, "volumes", volumes)
	if len(mounts) > 0 {
		f["containers"] = []any{map[string]any{"name": kube.ContainerMain, "volumeMounts": mounts}}
	}
}

// source returns the one attribute that determines the kind of a volume, or "" if there is none or several.
func (c *volumeCheck) source(b *decode.Block) string {
	var given []string
	for _, name := range evaluate.Names(sources) {
		if b.Attr(name) != nil {
			given = append(given, name)
		}
	}
	switch {
	case len(given) == 0 && !b.Tried(evaluate.Names(sources)...):
		c.diags.Add(diag.New("missing", b.DefRange, "volume %q has no kind", b.Label).
			WithDetail("%s", evaluate.Listed("Set one of", evaluate.Names(sources))))
		return ""
	case len(given) == 0:
		return ""
	case len(given) > 1:
		c.diags.Add(diag.New("duplicate", b.Attrs[given[1]].NameRange, "a volume can have only one kind, and this one has `%s` and `%s`", given[0], given[1]).
			WithRelated(b.Attrs[given[0]].NameRange, "the first is here"))
		return ""
	}
	for _, name := range []string{"access_mode", "storage_class", "items"} {
		if a := b.Attrs[name]; a != nil && !slices.Contains(sources[given[0]], name) {
			c.diags.Add(diag.New("out-of-place", a.NameRange, "`%s` can't be combined with `%s`", name, given[0]))
		}
	}
	return given[0]
}

// fill sets the kind of a volume.
func (c *volumeCheck) fill(b *decode.Block, source string, v *corev1.Volume, mode corev1.PersistentVolumeAccessMode, readOnly bool) {
	switch source {
	case "claim":
		name := c.objectName(b, source)
		v.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name, ReadOnly: readOnly}
		if name != "" {
			c.claims = append(c.claims, model.Claim{Name: name, Mode: string(mode), At: b.Attr(source).Range()})
		}
	case "ephemeral":
		spec := corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{mode}}
		if q := c.size(b, source); q != nil {
			spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: *q}
		}
		if b.Attr("storage_class") != nil {
			class := attribute.ObjectName(c.project, b, "storage_class", validation.IsDNS1123Subdomain)
			spec.StorageClassName = &class
		}
		v.Ephemeral = &corev1.EphemeralVolumeSource{VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{Spec: spec}}
	case "scratch":
		v.EmptyDir = &corev1.EmptyDirVolumeSource{SizeLimit: c.size(b, source)}
	case "memory":
		v.EmptyDir = &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: c.size(b, source)}
	case "secret":
		v.Secret = &corev1.SecretVolumeSource{SecretName: c.objectName(b, source), Items: c.items(b)}
	case "config_map":
		v.ConfigMap = &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: c.objectName(b, source)}, Items: c.items(b)}
	case "host_path":
		where, known := c.project.Attributes.String(b, source)
		if known && (!path.IsAbs(where) || slices.Contains(strings.Split(where, "/"), "..")) {
			c.diags.Add(diag.New("invalid-value", b.Attr(source).Range(), "`host_path` must be an absolute path without .., found %q", where))
		}
		if c.security == nil || !c.security.HostPaths {
			c.diags.Add(diag.New("out-of-place", b.Attrs[source].NameRange, "volume %q is a directory of the node, and the step does not allow such volumes", b.Label).
				WithSuggestion("if the step needs it, add security { host_paths = true }"))
		}
		v.HostPath = &corev1.HostPathVolumeSource{Path: where}
	}
}

// objectName returns the name of the object from which a volume is created.
func (c *volumeCheck) objectName(b *decode.Block, source string) string {
	return attribute.ObjectName(c.project, b, source, validation.IsDNS1123Subdomain)
}

// size returns the size of a volume, or nil if it is invalid or not set.
func (c *volumeCheck) size(b *decode.Block, name string) *resource.Quantity {
	text := c.quantity(b, name)
	if text == "" {
		return nil
	}
	q := resource.MustParse(text)
	if q.IsZero() {
		c.diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "the size of a volume can't be 0"))
	}
	return &q
}

// items returns which keys of a Secret or a ConfigMap become files.
func (c *volumeCheck) items(b *decode.Block) []corev1.KeyToPath {
	items := c.project.Attributes.StringMap(b, "items")
	var out []corev1.KeyToPath
	for _, key := range evaluate.Names(items) {
		file := items[key]
		if len(validation.IsConfigMapKey(key)) > 0 {
			c.diags.Add(diag.New("invalid-name", evaluate.KeyRange(b.Attr("items"), key), "%q is not a valid key of a Secret or a ConfigMap", key))
		}
		if file == "" || path.IsAbs(file) || slices.Contains(strings.Split(file, "/"), "..") || strings.HasPrefix(file, "..") {
			c.diags.Add(diag.New("invalid-value", evaluate.Part(b.Attr("items"), key).Range(), "%q is not a valid file name in a volume: it must be a relative path without ..", file))
		}
		out = append(out, corev1.KeyToPath{Key: key, Path: file})
	}
	return out
}

// mountPath checks the path at which a container mounts a volume. taken are the paths that the container already uses.
func (c *volumeCheck) mountPath(e hcl.Expression, where string, taken map[string]hcl.Range) string {
	clean := path.Clean(where)
	switch {
	case !path.IsAbs(where) || strings.ContainsAny(where, ":\x00") || slices.Contains(strings.Split(where, "/"), ".."):
		c.diags.Add(diag.New("invalid-value", e.Range(), "a mount path must be an absolute path without : or .., found %q", where))
		return ""
	case clean == "/" || under(clean, kube.WorkDir) || under(clean, kube.AgentDir) || under(kube.WorkDir, clean) || under(kube.AgentDir, clean):
		c.diags.Add(diag.New("out-of-place", e.Range(), "the path %s is reserved for pipec", clean).
			WithDetail("Inputs, outputs and pipec's agent are in %s and %s.", kube.WorkDir, kube.AgentDir))
	case clean == "/tmp" && c.security != nil && c.security.ReadOnlyRoot:
		c.diags.Add(diag.New("out-of-place", e.Range(), "with `read_only_root`, /tmp is already a volume"))
	}
	if first, twice := taken[clean]; twice {
		c.diags.Add(diag.New("duplicate", e.Range(), "two volumes are mounted at %s", clean).WithRelated(first, "the first one is here"))
	}
	taken[clean] = e.Range()
	return clean
}

// under reports whether p is dir or below it.
func under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
