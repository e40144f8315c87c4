package check

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
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
		if q, ok := c.parseQuantity(b, "extended", extended[name]); ok {
			if r.Extended == nil {
				r.Extended = map[string]string{}
			}
			r.Extended[name] = q
		}
	}
	c.atMost(b, "cpu", r.CPU, "cpu_limit", r.CPULimit)
	c.atMost(b, "memory", r.Memory, "memory_limit", r.MemoryLimit)
	s.Program.Resources = r
}

func (c *checker) quantity(b *decode.Block, name string) string {
	text, ok := c.world.String(b, name)
	if !ok {
		return ""
	}
	q, _ := c.parseQuantity(b, name, text)
	return q
}

func (c *checker) parseQuantity(b *decode.Block, name, text string) (string, bool) {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 || len(text) > 64 {
		c.diags.Add(diag.New("invalid-quantity", b.Attr(name).Range(), "%q is not a quantity of Kubernetes", text).
			WithDetail(`Such are "500m" or "2" for cores, and "512Mi" or "2Gi" for bytes.`))
		return "", false
	}
	return q.String(), true
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

// labels is a map whose keys and values keep Kubernetes' rules for labels.
func (c *checker) labels(b *decode.Block, name string) map[string]string {
	m := c.world.StringMap(b, name)
	for _, key := range evaluate.Names(m) {
		at := b.Attr(name).Range()
		if faults := validation.IsQualifiedName(key); len(faults) > 0 {
			c.diags.Add(diag.New("invalid-name", at, "%q can't be the key of a label", key).WithDetail("%s.", upperFirst(faults[0])))
		}
		if faults := validation.IsValidLabelValue(m[key]); len(faults) > 0 {
			c.diags.Add(diag.New("invalid-value", at, "%q can't be the value of label %q", m[key], key).WithDetail("%s.", upperFirst(faults[0])))
		}
	}
	return m
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
