package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// resources checks what a container asks of its node; quantities are kept in Kubernetes' canonical form.
func (c *checker) resources(s *Step) {
	b := s.Block.One("resources")
	if b == nil {
		return
	}
	r := &program.Resources{
		CPU: c.quantity(b, "cpu"), Memory: c.quantity(b, "memory"), Storage: c.quantity(b, "ephemeral_storage"),
		CPULimit: c.quantity(b, "cpu_limit"), MemoryLimit: c.quantity(b, "memory_limit"),
	}
	extended := c.world.StringMap(b, "extended")
	for _, name := range evaluate.Names(extended) {
		e := evaluate.Part(b.Attr("extended"), name)
		if len(validation.IsQualifiedName(name)) > 0 || !strings.Contains(name, "/") && !strings.HasPrefix(name, "hugepages-") {
			c.diags.Add(diag.New("invalid-name", e.Range(), "%q can't be the name of an extended resource", name).
				WithDetail(`It has the form DOMAIN/NAME, such as "nvidia.com/gpu".`))
		} else if q, ok := c.parseQuantity(e, extended[name]); ok {
			if r.Extended == nil {
				r.Extended = map[string]string{}
			}
			r.Extended[name] = q
		}
	}
	c.gpus(s, b, r)
	c.atMost(b, "cpu", r.CPU, "cpu_limit", r.CPULimit)
	c.atMost(b, "memory", r.Memory, "memory_limit", r.MemoryLimit)
	c.roomForAgent(b, "memory_limit", r.MemoryLimit)
	if r.MemoryLimit == "" {
		c.roomForAgent(b, "memory", r.Memory)
	}
	s.Program.Resources = r
}

// gpus are an extended resource, and a label of nodes that says their type.
func (c *checker) gpus(s *Step, b *decode.Block, r *program.Resources) {
	n, counted := c.world.Int(b, "gpu", 1)
	if b.Attr("gpu") == nil {
		for _, name := range []string{"gpu_resource", "gpu_type", "gpu_label"} {
			if a := b.Attrs[name]; a != nil {
				c.diags.Add(diag.New("missing", a.NameRange, "`%s` needs `gpu`, which says how many", name).WithSuggestion("write gpu = 1 beside it"))
			}
		}
		return
	}
	name, label := "nvidia.com/gpu", "nvidia.com/gpu.product"
	if b.Attr("gpu_resource") != nil {
		if name = c.labelKey(b, "gpu_resource"); name != "" && !strings.Contains(name, "/") {
			c.diags.Add(diag.New("invalid-name", b.Attr("gpu_resource").Range(), "%q can't be the name of an extended resource", name).
				WithDetail(`It has the form DOMAIN/NAME, such as "nvidia.com/gpu".`))
		}
	}
	if _, twice := r.Extended[name]; twice {
		c.diags.Add(diag.New("duplicate", b.Attrs["gpu"].NameRange, "`gpu` and `extended` both say how many %s", name).
			WithRelated(evaluate.KeyRange(b.Attr("extended"), name), "`extended` says it here"))
	}
	if counted {
		if r.Extended == nil {
			r.Extended = map[string]string{}
		}
		r.Extended[name] = strconv.Itoa(n)
	}
	if b.Attr("gpu_label") != nil {
		label = c.labelKey(b, "gpu_label")
		if b.Attr("gpu_type") == nil {
			c.diags.Add(diag.New("missing", b.Attrs["gpu_label"].NameRange, "`gpu_label` needs `gpu_type`, the label's value"))
		}
	}
	kind, ok := c.world.String(b, "gpu_type")
	if !ok {
		return
	}
	if kind == "" || len(validation.IsValidLabelValue(kind)) > 0 {
		c.diags.Add(diag.New("invalid-value", b.Attr("gpu_type").Range(), "%q can't be the value of the label %q", kind, label))
	}
	if _, twice := s.Program.NodeSelector[label]; twice {
		c.diags.Add(diag.New("duplicate", b.Attrs["gpu_type"].NameRange, "`gpu_type` and `node_selector` both say %s", label))
		return
	}
	if s.Program.NodeSelector == nil {
		s.Program.NodeSelector = map[string]string{}
	}
	s.Program.NodeSelector[label] = kind
}

// roomForAgent tells memory that pipec's agent alone, which starts the process in the same container, may take.
func (c *checker) roomForAgent(b *decode.Block, name, limit string) {
	least := resource.NewQuantity(pod.AgentMemory, resource.BinarySI)
	if limit == "" {
		return
	}
	if q := resource.MustParse(limit); q.Cmp(*least) < 0 {
		d := diag.New("invalid-value", b.Attr(name).Range(), "`%s` is %s, and pipec's agent, which starts the process, may take %s", name, limit, least)
		if q.Cmp(*resource.NewQuantity(1<<16, resource.BinarySI)) < 0 && !strings.ContainsAny(limit, "kKMGTPEim") {
			d = d.WithSuggestion("did you mean %q? Without a unit, it is bytes", limit+"Mi")
		}
		c.diags.Add(d)
	}
}

func (c *checker) quantity(b *decode.Block, name string) string {
	text, ok := c.world.String(b, name)
	if !ok {
		return ""
	}
	q, _ := c.parseQuantity(b.Attr(name), text)
	return q
}

func (c *checker) parseQuantity(e hcl.Expression, text string) (string, bool) {
	q, err := resource.ParseQuantity(text)
	if err == nil && q.Sign() >= 0 && len(text) <= 64 {
		return q.String(), true
	}
	d := diag.New("invalid-quantity", e.Range(), "%q is not a quantity of Kubernetes", text).
		WithDetail(`Cores are written as "2" or "500m", and bytes as "512Mi" or "2Gi".`)
	if short := strings.TrimRight(strings.ReplaceAll(text, " ", ""), "Bb"); short != text && len(text) <= 64 {
		if _, err := resource.ParseQuantity(short); err == nil {
			d = d.WithSuggestion("did you mean %q?", short)
		}
	}
	c.diags.Add(d)
	return "", false
}

func (c *checker) atMost(b *decode.Block, name, value, limitName, limit string) {
	if value == "" || limit == "" {
		return
	}
	v, l := resource.MustParse(value), resource.MustParse(limit)
	if v.Cmp(l) > 0 {
		c.diags.Add(diag.New("invalid-value", b.Attr(limitName).Range(), "`%s` (%s) is less than `%s` (%s)", limitName, limit, name, value))
	}
}

// ownKeys are the labels that pipec or Kubernetes itself puts on what is made for a pipeline; those that end in / are
// beginnings. With a Job's own labels on a step's pod, the Job's controller would take it for a coordinator.
var ownKeys = []string{
	"pipec.dev/", kube.LabelName, kube.LabelManagedBy, kube.LabelPartOf, kube.LabelComponent, kube.LabelPlain,
	"batch.kubernetes.io/", "controller-uid", "job-name",
}

// podLabels are labels of what is made for a pipeline or a step.
func (c *checker) podLabels(b *decode.Block) map[string]string {
	m := c.labels(b, "labels")
	c.notOwn(b, "labels", m)
	return m
}

// podAnnotations are annotations, likewise.
func (c *checker) podAnnotations(b *decode.Block) map[string]string {
	m, size := c.annotations(b, "annotations"), 0
	c.notOwn(b, "annotations", m)
	for key, value := range m {
		size += len(key) + len(value)
	}
	if size > maxAnnotations {
		c.diags.Add(diag.New("too-large", b.Attr("annotations").Range(), "the annotations have %d bytes, and Kubernetes takes 256 KiB; 8 KiB of them are pipec's", size))
	}
	return m
}

// maxAnnotations leaves room for pipec's own.
const maxAnnotations = 248 << 10

func (c *checker) notOwn(b *decode.Block, name string, m map[string]string) {
	for _, key := range evaluate.Names(m) {
		if slices.ContainsFunc(ownKeys, func(own string) bool { return key == own || strings.HasSuffix(own, "/") && strings.HasPrefix(key, own) }) {
			c.diags.Add(diag.New("invalid-name", evaluate.KeyRange(b.Attr(name), key), "%q in `%s` is set by pipec or by Kubernetes itself", key, name))
		}
	}
}

// labels is a map whose keys and values keep Kubernetes' rules for labels.
func (c *checker) labels(b *decode.Block, name string) map[string]string {
	m := c.annotations(b, name)
	for _, key := range evaluate.Names(m) {
		if len(validation.IsValidLabelValue(m[key])) > 0 {
			at := evaluate.Part(b.Attr(name), key).Range()
			c.diags.Add(diag.New("invalid-value", at, "%q can't be the value of the label %q", m[key], key).
				WithDetail("A label's value has at most 63 letters, digits, -, _ and ., and starts and ends with a letter or a digit."))
		}
	}
	return m
}

// annotations is a map whose keys keep Kubernetes' rules for the keys of labels and annotations.
func (c *checker) annotations(b *decode.Block, name string) map[string]string {
	m := c.world.StringMap(b, name)
	for _, key := range evaluate.Names(m) {
		if len(validation.IsQualifiedName(strings.ToLower(key))) > 0 || len(validation.IsQualifiedName(key)) > 0 {
			at := evaluate.Part(b.Attr(name), key).Range()
			c.diags.Add(diag.New("invalid-name", at, "%q can't be a key in `%s`", key, name).
				WithDetail("A key has at most 63 letters, digits, -, _ and ., and starts and ends with a letter or a digit; a domain and / may stand before it: \"example.com/team\"."))
		}
	}
	return m
}

// objectName is the name of an object of Kubernetes, or of a part of one.
func (c *checker) objectName(b *decode.Block, name string, rule func(string) []string) string {
	text, ok := c.world.String(b, name)
	if ok && len(rule(text)) > 0 {
		d := diag.New("invalid-name", b.Attr(name).Range(), "%q can't be the name of a %s in Kubernetes", text, strings.ReplaceAll(name, "_", " "))
		if low := strings.ToLower(strings.ReplaceAll(text, "_", "-")); len(rule(low)) == 0 {
			d = d.WithSuggestion("did you mean %q?", low)
		}
		c.diags.Add(d)
		return ""
	}
	return text
}
