package stacks

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// storeGrace is store_grace of a stack that does not set it.
const storeGrace = program.Duration(15 * time.Minute)

var clusterVersion = regexp.MustCompile(`^v?[0-9]+\.[0-9]+(\.[0-9]+)?[+.-]?[0-9A-Za-z.+-]*$`)

// cluster checks the attributes of an orchestrator of kind kubernetes.
func (c *checker) cluster(o *program.Orchestrator, b *decode.Block) {
	w := c.project
	o.CreateNamespace, _ = w.Bool(b, "create_namespace")
	if v, _ := w.String(b, "kubernetes_version"); v != "" {
		if !clusterVersion.MatchString(v) {
			c.project.Diags.Add(diag.New("invalid-value", b.Attr("kubernetes_version").Range(), "%q is not a valid Kubernetes version", v).
				WithDetail(`It is written as "1.36" or "v1.36.2".`))
			v = ""
		}
		o.Version = v
	}
	o.Wrapper, _ = w.String(b, "wrapper")
	if o.Wrapper == pod.WrapperImage && o.Version != "" && !pod.AtLeast(o.Version, pod.ImageVolumeFrom) {
		c.project.Diags.Add(diag.New("invalid-value", b.Attr("wrapper").Range(), "Kubernetes %s has no volumes from images", o.Version).
			WithRelated(b.Attr("kubernetes_version").Range(), "the version is given here").
			WithSuggestion(`write wrapper = "init", or leave it out; "image" needs %s or later`, pod.ImageVolumeFrom))
	}
	o.StoreGrace = attribute.Duration(c.project, b, "store_grace", storeGrace)
	c.onLostNode(o, b)
}

// onLostNode reads the attribute on_lost_node: wait, or retry_after with a duration.
func (c *checker) onLostNode(o *program.Orchestrator, b *decode.Block) {
	text, ok := c.project.String(b, "on_lost_node")
	if !ok || text == "wait" {
		return
	}
	inner, isRetry := strings.CutPrefix(text, "retry_after(")
	inner, closed := strings.CutSuffix(inner, ")")
	d, err := time.ParseDuration(strings.TrimSpace(inner))
	if !isRetry || !closed || err != nil || d <= 0 {
		fault := diag.New("invalid-value", b.Attr("on_lost_node").Range(), "`on_lost_node` can't be %q", text).
			WithDetail(`It is "wait", or "retry_after(10m)" with any duration above zero.`)
		if d, err := time.ParseDuration(text); err == nil && d > 0 {
			fault = fault.WithSuggestion(`did you mean "retry_after(%s)"?`, text)
		}
		c.project.Diags.Add(fault)
		return
	}
	o.OnLostNode = program.Duration(d)
}

// s3 checks the attributes of an artifact store of kind s3. "" counts as not set, so that a variable can be the value.
func (c *checker) s3(s *program.Store, b *decode.Block) {
	w := c.project
	s.Region, _ = w.String(b, "region")
	s.PathStyle, _ = w.Bool(b, "path_style")
	if text, _ := w.String(b, "secret"); text != "" {
		s.Secret = attribute.ObjectName(c.project, b, "secret", validation.IsDNS1123Subdomain)
	}
	if text, _ := w.String(b, "endpoint"); text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			d := diag.New("invalid-value", b.Attr("endpoint").Range(), "this is not a valid address of an S3 server").
				WithDetail("It is a URL without user and query: https://HOST:PORT.")
			if u, err := url.Parse("https://" + text); err == nil && !strings.Contains(text, "://") && u.Host == text {
				d = d.WithSuggestion("did you mean %q?", "https://"+text)
			}
			c.project.Diags.Add(d)
		} else {
			s.Endpoint = strings.TrimRight(text, "/")
		}
	}
	if text, _ := w.String(b, "role"); text != "" {
		if !strings.HasPrefix(text, "arn:") || !strings.Contains(text, ":role/") {
			c.project.Diags.Add(diag.New("invalid-value", b.Attr("role").Range(), "%q is not the ARN of a role", text).
				WithDetail("It is written as arn:aws:iam::ACCOUNT:role/NAME."))
		} else {
			s.Role = text
		}
	}
}
