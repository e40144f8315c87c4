package check

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
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
		e := evaluate.Part(b.Attr("extended"), name)
		if len(validation.IsQualifiedName(name)) > 0 || !strings.Contains(name, "/") {
			c.diags.Add(diag.New("invalid-name", e.Range(), "%q can't be the name of an extended resource", name).
				WithDetail(`It has the form DOMAIN/NAME, such as "nvidia.com/gpu".`))
		} else if q, ok := c.parseQuantity(e, extended[name]); ok {
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
