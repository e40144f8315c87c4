package pods

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kube"
)

// reader reads attributes that must satisfy rules of Kubernetes.
type reader struct {
	project *evaluate.Project
	diags   *diag.List
}

// quantity returns a quantity in Kubernetes' canonical form, or "".
func (r reader) quantity(b *decode.Block, name string) string {
	text, ok := r.project.Attributes.String(b, name)
	if !ok {
		return ""
	}
	q, _ := r.parseQuantity(b.Attr(name), text)
	return q
}

func (r reader) parseQuantity(e hcl.Expression, text string) (string, bool) {
	q, err := resource.ParseQuantity(text)
	if err == nil && q.Sign() >= 0 && len(text) <= 64 {
		return q.String(), true
	}
	d := diag.New("invalid-quantity", e.Range(), "%q is not a valid Kubernetes quantity", text).
		WithDetail(`CPUs are written as "2" or "500m", bytes as "512Mi" or "2Gi".`)
	if short := strings.TrimRight(strings.ReplaceAll(text, " ", ""), "Bb"); short != text && len(text) <= 64 {
		if _, err := resource.ParseQuantity(short); err == nil {
			d = d.WithSuggestion("did you mean %q?", short)
		}
	}
	r.diags.Add(d)
	return "", false
}

// ownKeys are the labels and annotations that pipec or Kubernetes itself sets; those that end in / are prefixes. A step's pod
// with a Job's own labels would be taken for a coordinator by the Job controller.
var ownKeys = []string{
	"pipec.dev/", kube.LabelName, kube.LabelManagedBy, kube.LabelPartOf, kube.LabelComponent, kube.LabelPlain,
	"batch.kubernetes.io/", "controller-uid", "job-name",
}

// ownLabels returns the labels of a pipeline or a step, which must not replace those in ownKeys.
func (r reader) ownLabels(b *decode.Block) map[string]string {
	m := r.labels(b, "labels")
	r.notOwn(b, "labels", m)
	return m
}

// ownAnnotations returns the annotations of a step, which must not replace those in ownKeys.
func (r reader) ownAnnotations(b *decode.Block) map[string]string {
	m, size := r.annotations(b, "annotations"), 0
	r.notOwn(b, "annotations", m)
	for key, value := range m {
		size += len(key) + len(value)
	}
	if size > maxAnnotations {
		r.diags.Add(diag.New("too-large", b.Attr("annotations").Range(), "the annotations have %d bytes; Kubernetes allows 256 KiB, of which pipec needs 8 KiB", size))
	}
	return m
}

// maxAnnotations is the limit of Kubernetes, less 8 KiB for pipec's own annotations.
const maxAnnotations = 248 << 10

func (r reader) notOwn(b *decode.Block, name string, m map[string]string) {
	for _, key := range evaluate.Names(m) {
		if slices.ContainsFunc(ownKeys, func(own string) bool { return key == own || strings.HasSuffix(own, "/") && strings.HasPrefix(key, own) }) {
			r.diags.Add(diag.New("invalid-name", evaluate.KeyRange(b.Attr(name), key), "%q in `%s` is reserved for pipec or Kubernetes", key, name))
		}
	}
}

// labels returns a map whose keys and values satisfy Kubernetes' rules for labels.
func (r reader) labels(b *decode.Block, name string) map[string]string {
	m := r.annotations(b, name)
	for _, key := range evaluate.Names(m) {
		if len(validation.IsValidLabelValue(m[key])) > 0 {
			at := evaluate.Part(b.Attr(name), key).Range()
			r.diags.Add(diag.New("invalid-value", at, "%q is not a valid value of the label %q", m[key], key).
				WithDetail("A label's value consists of at most 63 letters, digits, -, _ and ., and starts and ends with a letter or a digit."))
		}
	}
	return m
}

// annotations returns a map whose keys satisfy Kubernetes' rules for the keys of labels and annotations.
func (r reader) annotations(b *decode.Block, name string) map[string]string {
	m := r.project.Attributes.StringMap(b, name)
	for _, key := range evaluate.Names(m) {
		if len(validation.IsQualifiedName(strings.ToLower(key))) > 0 || len(validation.IsQualifiedName(key)) > 0 {
			at := evaluate.Part(b.Attr(name), key).Range()
			r.diags.Add(diag.New("invalid-name", at, "%q is not a valid key in `%s`", key, name).
				WithDetail("A key consists of at most 63 letters, digits, -, _ and ., and starts and ends with a letter or a digit. It can have a domain as prefix: \"example.com/team\"."))
		}
	}
	return m
}

// labelKey returns the key of a label or a taint.
func (r reader) labelKey(b *decode.Block, name string) string {
	text, ok := r.project.Attributes.String(b, name)
	if ok && len(validation.IsQualifiedName(text)) > 0 {
		r.diags.Add(diag.New("invalid-name", b.Attr(name).Range(), "%q is not a valid key of a label or a taint", text))
	}
	return text
}

// partName checks the name of a volume or a container, for which Kubernetes' rule is stricter than pipec's.
func (r reader) partName(b *decode.Block) {
	if len(validation.IsDNS1123Label(b.Label)) > 0 {
		d := diag.New("invalid-name", b.LabelRange, "%q is not a valid Kubernetes name of a %s", b.Label, b.Def.Name)
		if low := strings.ToLower(strings.ReplaceAll(b.Label, "_", "-")); len(validation.IsDNS1123Label(low)) == 0 {
			d = d.WithSuggestion("did you mean %q?", low)
		}
		r.diags.Add(d)
	} else if strings.HasPrefix(b.Label, "pipec-") {
		r.diags.Add(diag.New("invalid-name", b.LabelRange, "the name of the %s %q is reserved: pipec uses the names that start with pipec-", b.Def.Name, b.Label))
	}
}
