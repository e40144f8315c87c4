package check

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kube"
)

// sources are the attributes of a volume that say what it is, and what else has a meaning beside each.
var sources = map[string][]string{
	"claim": {"access_mode"}, "ephemeral": {"access_mode", "storage_class"}, "scratch": nil, "memory": nil,
	"secret": {"items"}, "config_map": {"items"}, "host_path": nil,
}

// volumes checks the step's volumes, and gives their names.
func (c *checker) volumes(s *Step, k knobs) map[string]*decode.Block {
	seen, paths := map[string]*decode.Block{}, map[string]hcl.Range{}
	var volumes []corev1.Volume
	var mounts []corev1.VolumeMount
	for _, b := range s.Block.All("volume") {
		if first, twice := seen[b.Label]; twice {
			c.diags.Add(diag.New("duplicate", b.LabelRange, "volume %q is declared twice", b.Label).WithRelated(first.LabelRange, "the first declaration is here"))
			continue
		}
		seen[b.Label] = b
		c.partName(b)
		readOnly, _ := c.world.Bool(b, "read_only")
		mode, _ := c.world.String(b, "access_mode")
		if mode == "" {
			mode = string(corev1.ReadWriteOnce)
		}
		readOnly = readOnly || mode == string(corev1.ReadOnlyMany)
		if source := c.source(b); source != "" {
			v := corev1.Volume{Name: b.Label}
			c.fill(s, b, source, &v, corev1.PersistentVolumeAccessMode(mode), readOnly)
			volumes = append(volumes, v)
		}
		m := corev1.VolumeMount{Name: b.Label, ReadOnly: readOnly, MountPath: c.mountPath(s, b.Attr("path"), text(c, b, "path"), paths)}
		if m.SubPath, _ = c.world.String(b, "sub_path"); m.SubPath != "" && (path.IsAbs(m.SubPath) || slices.Contains(strings.Split(m.SubPath, "/"), "..")) {
			c.diags.Add(diag.New("invalid-value", b.Attr("sub_path").Range(), "`sub_path` stays in the volume: it doesn't start with / and has no .."))
		}
		mounts = append(mounts, m)
	}
	slices.SortFunc(volumes, func(a, b corev1.Volume) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(mounts, func(a, b corev1.VolumeMount) int { return strings.Compare(a.MountPath, b.MountPath) })
	put(k, "volumes", volumes)
	if len(mounts) > 0 {
		k["containers"] = []any{map[string]any{"name": kube.ContainerMain, "volumeMounts": mounts}}
	}
	return seen
}

func text(c *checker, b *decode.Block, name string) string {
	s, _ := c.world.String(b, name)
	return s
}

// source is the one attribute that says what a volume is.
func (c *checker) source(b *decode.Block) string {
	var given []string
	for _, name := range evaluate.Names(sources) {
		if b.Attr(name) != nil {
			given = append(given, name)
		}
	}
	switch {
	case len(given) == 0 && !b.Tried(evaluate.Names(sources)...):
		c.diags.Add(diag.New("missing", b.DefRange, "volume %q does not say what it is", b.Label).
			WithDetail("%s", evaluate.Listed("It has one of", evaluate.Names(sources))))
		return ""
	case len(given) == 0:
		return ""
	case len(given) > 1:
		c.diags.Add(diag.New("duplicate", b.Attrs[given[1]].NameRange, "a volume is one thing, and this has `%s` and `%s`", given[0], given[1]).
			WithRelated(b.Attrs[given[0]].NameRange, "the first is here"))
		return ""
	}
	for _, name := range []string{"access_mode", "storage_class", "items"} {
		if a := b.Attrs[name]; a != nil && !slices.Contains(sources[given[0]], name) {
			c.diags.Add(diag.New("out-of-place", a.NameRange, "`%s` has no meaning beside `%s`", name, given[0]))
		}
	}
	return given[0]
}

// fill says what the volume is.
func (c *checker) fill(s *Step, b *decode.Block, source string, v *corev1.Volume, mode corev1.PersistentVolumeAccessMode, readOnly bool) {
	switch source {
	case "claim":
		name := c.partOf(b, source)
		v.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name, ReadOnly: readOnly}
		if name != "" {
			s.claims = append(s.claims, claim{name: name, mode: string(mode), at: b.Attr(source).Range()})
		}
	case "ephemeral":
		spec := corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{mode}}
		if q := c.size(b, source); q != nil {
			spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: *q}
		}
		if b.Attr("storage_class") != nil {
			class := c.objectName(b, "storage_class", validation.IsDNS1123Subdomain)
			spec.StorageClassName = &class
		}
		v.Ephemeral = &corev1.EphemeralVolumeSource{VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{Spec: spec}}
	case "scratch":
		v.EmptyDir = &corev1.EmptyDirVolumeSource{SizeLimit: c.size(b, source)}
	case "memory":
		v.EmptyDir = &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: c.size(b, source)}
	case "secret":
		v.Secret = &corev1.SecretVolumeSource{SecretName: c.partOf(b, source), Items: c.items(b)}
	case "config_map":
		v.ConfigMap = &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: c.partOf(b, source)}, Items: c.items(b)}
	case "host_path":
		where, known := c.world.String(b, source)
		if known && (!path.IsAbs(where) || slices.Contains(strings.Split(where, "/"), "..")) {
			c.diags.Add(diag.New("invalid-value", b.Attr(source).Range(), "a directory of the node starts with / and has no .., and this is %q", where))
		}
		if s.Program.Security == nil || !s.Program.Security.HostPaths {
			c.diags.Add(diag.New("out-of-place", b.Attrs[source].NameRange, "volume %q is a directory of the node, which a step may not have", b.Label).
				WithSuggestion("write security { host_paths = true } in the step, if it must"))
		}
		v.HostPath = &corev1.HostPathVolumeSource{Path: where}
	}
}

// partOf is the name of an object that a volume is made of.
func (c *checker) partOf(b *decode.Block, source string) string {
	return c.objectName(b, source, validation.IsDNS1123Subdomain)
}

func (c *checker) size(b *decode.Block, name string) *resource.Quantity {
	text := c.quantity(b, name)
	if text == "" {
		return nil
	}
	q := resource.MustParse(text)
	if q.IsZero() {
		c.diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "a volume of no size holds nothing"))
	}
	return &q
}

func (c *checker) items(b *decode.Block) []corev1.KeyToPath {
	items := c.world.StringMap(b, "items")
	var out []corev1.KeyToPath
	for _, key := range evaluate.Names(items) {
		file := items[key]
		if len(validation.IsConfigMapKey(key)) > 0 {
			c.diags.Add(diag.New("invalid-name", evaluate.KeyRange(b.Attr("items"), key), "%q can't be a key of a Secret or a ConfigMap", key))
		}
		if file == "" || path.IsAbs(file) || slices.Contains(strings.Split(file, "/"), "..") || strings.HasPrefix(file, "..") {
			c.diags.Add(diag.New("invalid-value", evaluate.Part(b.Attr("items"), key).Range(), "%q is no file in the volume: it doesn't start with / or .., and has no ..", file))
		}
		out = append(out, corev1.KeyToPath{Key: key, Path: file})
	}
	return out
}

// partName is the label of a volume or a container, which Kubernetes asks more of than pipec does.
func (c *checker) partName(b *decode.Block) {
	if len(validation.IsDNS1123Label(b.Label)) > 0 {
		d := diag.New("invalid-name", b.LabelRange, "%q can't be the name of a %s in Kubernetes", b.Label, b.Def.Name)
		if low := strings.ToLower(strings.ReplaceAll(b.Label, "_", "-")); len(validation.IsDNS1123Label(low)) == 0 {
			d = d.WithSuggestion("did you mean %q?", low)
		}
		c.diags.Add(d)
	} else if strings.HasPrefix(b.Label, "pipec-") {
		c.diags.Add(diag.New("invalid-name", b.LabelRange, "the %s %q would be pipec's own: names that start with pipec- are", b.Def.Name, b.Label))
	}
}

// mountPath checks where a container has a volume; taken are the container's other places.
func (c *checker) mountPath(s *Step, e hcl.Expression, where string, taken map[string]hcl.Range) string {
	if e == nil || where == "" && c.diags.HasErrors() {
		return ""
	}
	clean := path.Clean(where)
	switch {
	case !path.IsAbs(where) || strings.ContainsAny(where, ":\x00") || slices.Contains(strings.Split(where, "/"), ".."):
		c.diags.Add(diag.New("invalid-value", e.Range(), "a volume is mounted at a path that starts with / and has no : or .., and this is %q", where))
		return ""
	case clean == "/" || under(clean, kube.WorkDir) || under(clean, kube.AgentDir) || under(kube.WorkDir, clean) || under(kube.AgentDir, clean):
		c.diags.Add(diag.New("out-of-place", e.Range(), "%s is pipec's own place in a pod", clean).
			WithDetail("Inputs, outputs and pipec's agent are in %s and %s.", kube.WorkDir, kube.AgentDir))
	case clean == "/tmp" && s.Program.Security != nil && s.Program.Security.ReadOnlyRoot:
		c.diags.Add(diag.New("out-of-place", e.Range(), "with `read_only_root`, /tmp is a volume already"))
	}
	if first, twice := taken[clean]; twice {
		c.diags.Add(diag.New("duplicate", e.Range(), "two volumes are mounted at %s", clean).WithRelated(first, "the first one is here"))
	}
	taken[clean] = e.Range()
	return clean
}

func under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
