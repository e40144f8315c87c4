package aws

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Module returns the Terraform module with the resources of the template, as one file.
func (r *Recipe) Module() ([]byte, error) {
	b := r.build()
	m := &module{region: r.Region, addresses: map[string]string{}}
	m.head(r)
	for _, one := range b.resources {
		m.addresses[one.name] = "awscc_" + snakeType(one.kind) + "." + snake(one.name)
	}
	for _, one := range b.resources {
		m.resource(one)
	}
	for _, o := range b.outputs {
		m.line("output %s {\ndescription = %s\nvalue = %s\n}\n", quote(snake(o.name)), quote(o.doc), m.value(o.value))
	}
	return hclwrite.Format(m.Bytes()), m.err
}

// OutputName returns the name in the template of recipe.NAME.
func OutputName(name string) string {
	out := ""
	for word := range strings.SplitSeq(name, "_") {
		out += strings.ToUpper(word[:1]) + word[1:]
	}
	return out
}

// module is the text of a module.
type module struct {
	bytes.Buffer
	region    string
	addresses map[string]string // of resources, by their logical names
	err       error
}

func (m *module) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *module) head(r *Recipe) {
	m.line("# %s", strings.ReplaceAll(r.description(), "\n", " "))
	m.line(`terraform {
required_version = ">= 1.5"
required_providers {
aws   = { source = "hashicorp/aws" }
awscc = { source = "hashicorp/awscc" }
}
}

provider "aws" {
region = %[1]s
}

provider "awscc" {
region = %[1]s
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {}
`, quote(m.region))
}

func (m *module) resource(r *resource) {
	m.line("resource %s %s {", quote("awscc_"+snakeType(r.kind)), quote(snake(r.name)))
	for _, key := range slices.Sorted(maps.Keys(r.properties)) {
		m.line("%s = %s", snake(key), m.value(r.properties[key]))
	}
	if len(r.after) > 0 {
		var after []string
		for _, name := range r.after {
			after = append(after, m.addresses[name])
		}
		m.line("depends_on = [%s]", strings.Join(after, ", "))
	}
	if r.retained {
		m.line("\nlifecycle {\nprevent_destroy = true\n}")
	}
	m.line("}\n")
}

// value returns a value as an expression of Terraform.
func (m *module) value(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case ref:
		return m.addresses[string(v)] + ".id"
	case attribute:
		return m.addresses[v.resource] + "." + snake(v.name)
	case zone:
		return fmt.Sprintf("data.aws_availability_zones.available.names[%d]", int(v))
	case text:
		return m.template(string(v))
	case document:
		return "jsonencode(" + m.object(object(v), data) + ")"
	case documentText:
		return "jsonencode(" + m.object(object(v), data) + ")"
	case object:
		return m.object(v, snake)
	case list:
		return m.list(v, snake)
	}
	m.err = fmt.Errorf("a value of type %T can't be written", v)
	return ""
}

// data returns the key of an object that is data, and no property of a resource.
func data(key string) string {
	if hclsyntax.ValidIdentifier(key) {
		return key
	}
	return quote(key)
}

// object returns an object. key returns a key as it is written.
func (m *module) object(o object, key func(string) string) string {
	var out strings.Builder
	out.WriteString("{\n")
	for _, k := range slices.Sorted(maps.Keys(o)) {
		fmt.Fprintf(&out, "%s = %s\n", key(k), m.nested(o[k], key))
	}
	return out.String() + "}"
}

func (m *module) list(l list, key func(string) string) string {
	if len(l) == 0 {
		return "[]"
	}
	var out strings.Builder
	out.WriteString("[\n")
	for _, v := range l {
		out.WriteString(m.nested(v, key) + ",\n")
	}
	return out.String() + "]"
}

// nested returns a value within an object or a list, whose own keys are written in the same way.
func (m *module) nested(v any, key func(string) string) string {
	switch v := v.(type) {
	case object:
		return m.object(v, key)
	case list:
		return m.list(v, key)
	}
	return m.value(v)
}

var reference = regexp.MustCompile(`\$\{([^}]+)\}`)

// template returns a text with references.
func (m *module) template(s string) string {
	pseudo := map[string]string{
		account: "${data.aws_caller_identity.current.account_id}", partition: "${data.aws_partition.current.partition}",
		suffix: "${data.aws_partition.current.dns_suffix}", region: m.region,
	}
	var out strings.Builder
	for s != "" {
		at := reference.FindStringSubmatchIndex(s)
		if at == nil {
			out.WriteString(inner(s))
			break
		}
		out.WriteString(inner(s[:at[0]]))
		if known, ok := pseudo[s[at[0]:at[1]]]; ok {
			out.WriteString(known)
		} else {
			out.WriteString("${" + m.addresses[s[at[2]:at[3]]] + ".id}")
		}
		s = s[at[1]:]
	}
	return `"` + out.String() + `"`
}

// quote returns a string as Terraform writes it.
func quote(s string) string {
	return string(bytes.TrimSpace(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()))
}

func inner(s string) string { q := quote(s); return q[1 : len(q)-1] }

var (
	acronym = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`)
	hump    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// snake returns a name of CloudFormation as the provider awscc writes it: SSEAlgorithm is sse_algorithm.
func snake(s string) string {
	return strings.ToLower(hump.ReplaceAllString(acronym.ReplaceAllString(s, "${1}_${2}"), "${1}_${2}"))
}

// snakeType returns a type of resources without its first part: AWS::EC2::VPCEndpoint is ec2_vpc_endpoint.
func snakeType(kind string) string {
	parts := strings.Split(kind, "::")
	return strings.ToLower(parts[1]) + "_" + snake(parts[2])
}
