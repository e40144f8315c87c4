package pods

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// resourceCheck checks the block `resources`. Besides the resources it can set a node selector, for the type of GPUs.
type resourceCheck struct {
	reader
	block *decode.Block
	pod   *model.Pod
}

func (c resourceCheck) check() {
	b, r := c.block, c.amounts()
	extended := c.project.Attributes.StringMap(b, "extended")
	for _, name := range evaluate.Names(extended) {
		e := evaluate.Part(b.Attr("extended"), name)
		if len(validation.IsQualifiedName(name)) > 0 || !strings.Contains(name, "/") && !strings.HasPrefix(name, "hugepages-") {
			c.diags.Add(diag.New("invalid-name", e.Range(), "%q is not a valid name of an extended resource", name).
				WithDetail(`It has the form DOMAIN/NAME, such as "nvidia.com/gpu".`))
		} else if q, ok := c.parseQuantity(e, extended[name]); ok {
			if r.Extended == nil {
				r.Extended = map[string]string{}
			}
			r.Extended[name] = q
		}
	}
	c.gpus(r)
	c.room("memory_limit", r.MemoryLimit, pod.AgentMemory, agent)
	if r.MemoryLimit == "" {
		c.room("memory", r.Memory, pod.AgentMemory, agent)
	}
	c.pod.Resources = r
}

// agent describes pipec's agent, which needs memory of the same container.
const agent = "pipec's agent, which starts the process,"

// amounts returns the requests and limits for cores, memory and disk.
func (c resourceCheck) amounts() *program.Resources {
	b := c.block
	r := &program.Resources{
		CPU: c.quantity(b, "cpu"), Memory: c.quantity(b, "memory"), Storage: c.quantity(b, "ephemeral_storage"),
		CPULimit: c.quantity(b, "cpu_limit"), MemoryLimit: c.quantity(b, "memory_limit"),
	}
	c.atMost("cpu", r.CPU, "cpu_limit", r.CPULimit)
	c.atMost("memory", r.Memory, "memory_limit", r.MemoryLimit)
	return r
}

// gpus checks GPUs, which are an extended resource, and their type, which is a label of nodes.
func (c resourceCheck) gpus(r *program.Resources) {
	b := c.block
	n, counted := c.project.Attributes.Int(b, "gpu", 1)
	if b.Attr("gpu") == nil {
		for _, name := range []string{"gpu_resource", "gpu_type", "gpu_label"} {
			if a := b.Attrs[name]; a != nil {
				c.diags.Add(diag.New("missing", a.NameRange, "`%s` requires `gpu`, the number of GPUs", name).WithSuggestion("add gpu = 1"))
			}
		}
		return
	}
	name, label := "nvidia.com/gpu", "nvidia.com/gpu.product"
	if b.Attr("gpu_resource") != nil {
		if name = c.labelKey(b, "gpu_resource"); name != "" && !strings.Contains(name, "/") {
			c.diags.Add(diag.New("invalid-name", b.Attr("gpu_resource").Range(), "%q is not a valid name of an extended resource", name).
				WithDetail(`It has the form DOMAIN/NAME, such as "nvidia.com/gpu".`))
		}
	}
	if _, twice := r.Extended[name]; twice {
		c.diags.Add(diag.New("duplicate", b.Attrs["gpu"].NameRange, "`gpu` and `extended` both set %s", name).
			WithRelated(evaluate.KeyRange(b.Attr("extended"), name), "`extended` sets it here"))
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
			c.diags.Add(diag.New("missing", b.Attrs["gpu_label"].NameRange, "`gpu_label` requires `gpu_type`, the label's value"))
		}
	}
	kind, ok := c.project.Attributes.String(b, "gpu_type")
	if !ok {
		return
	}
	if kind == "" || len(validation.IsValidLabelValue(kind)) > 0 {
		c.diags.Add(diag.New("invalid-value", b.Attr("gpu_type").Range(), "%q is not a valid value of the label %q", kind, label))
	}
	if _, twice := c.pod.NodeSelector[label]; twice {
		c.diags.Add(diag.New("duplicate", b.Attrs["gpu_type"].NameRange, "`gpu_type` and `node_selector` both set %s", label))
		return
	}
	if c.pod.NodeSelector == nil {
		c.pod.NodeSelector = map[string]string{}
	}
	c.pod.NodeSelector[label] = kind
}

// room reports memory that is less than what a part of pipec can use in the container.
func (c resourceCheck) room(name, limit string, bytes int64, who string) {
	least := resource.NewQuantity(bytes, resource.BinarySI)
	if limit == "" {
		return
	}
	if q := resource.MustParse(limit); q.Cmp(*least) < 0 {
		d := diag.New("invalid-value", c.block.Attr(name).Range(), "`%s` is %s, but %s can use up to %s", name, limit, who, least)
		if q.Cmp(*resource.NewQuantity(1<<16, resource.BinarySI)) < 0 && !strings.ContainsAny(limit, "kKMGTPEim") {
			meant := limit + "Mi"
			if q := resource.MustParse(meant); q.Cmp(*least) < 0 {
				meant = least.String()
			}
			d = d.WithSuggestion("did you mean %q? A number without a unit is in bytes", meant)
		}
		c.diags.Add(d)
	}
}

// atMost reports a limit that is less than the request.
func (c resourceCheck) atMost(name, value, limitName, limit string) {
	if value == "" || limit == "" {
		return
	}
	v, l := resource.MustParse(value), resource.MustParse(limit)
	if v.Cmp(l) > 0 {
		c.diags.Add(diag.New("invalid-value", c.block.Attr(limitName).Range(), "`%s` (%s) is less than `%s` (%s)", limitName, limit, name, value))
	}
}
