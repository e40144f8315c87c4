package pods

import (
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// dns checks the block `dns`.
func (c specCheck) dns() {
	n := c.block.One("dns")
	if n == nil {
		return
	}
	config := corev1.PodDNSConfig{Nameservers: c.project.Attributes.Strings(n, "nameservers"), Searches: c.project.Attributes.Strings(n, "searches")}
	for i, address := range config.Nameservers {
		c.address(address, evaluate.Element(n.Attr("nameservers"), i).Range())
	}
	for i, domain := range config.Searches {
		if domain != "." && len(validation.IsDNS1123Subdomain(strings.TrimSuffix(strings.ReplaceAll(domain, "_", "-"), "."))) > 0 {
			c.diags.Add(diag.New("invalid-name", evaluate.Element(n.Attr("searches"), i).Range(), "%q is not a valid domain", domain))
		}
	}
	c.most(n, "nameservers", len(config.Nameservers), 3)
	c.most(n, "searches", len(config.Searches), 32)
	options := c.project.Attributes.StringMap(n, "options")
	for _, name := range evaluate.Names(options) {
		o := corev1.PodDNSConfigOption{Name: name}
		if v := options[name]; v != "" {
			o.Value = &v
		}
		if name == "" {
			c.diags.Add(diag.New("invalid-name", n.Attr("options").Range(), "the name of a resolver option can't be empty"))
		}
		config.Options = append(config.Options, o)
	}
	policy, isSet := c.project.Attributes.String(n, "policy")
	if policy == "None" && len(config.Nameservers) == 0 {
		c.diags.Add(diag.New("missing", n.DefRange, "the policy `None` requires `nameservers`"))
	}
	if isSet {
		c.fields["dnsPolicy"] = policy
	}
	if len(config.Nameservers)+len(config.Searches)+len(config.Options) > 0 {
		c.fields["dnsConfig"] = config
	}
}

// most reports a list that is longer than Kubernetes allows.
func (c specCheck) most(b *decode.Block, name string, n, most int) {
	if n > most {
		c.diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "Kubernetes allows at most %d `%s`, found %d", most, name, n))
	}
}

// address reports text that is not an IP address.
func (c specCheck) address(text string, at hcl.Range) {
	if a, err := netip.ParseAddr(text); err != nil || a.Zone() != "" {
		c.diags.Add(diag.New("invalid-value", at, "%q is not a valid IP address", text))
	}
}

// hostAliases checks additional entries of /etc/hosts.
func (c specCheck) hostAliases() {
	b := c.block
	v, ok := c.project.Attributes.Get(b, "host_aliases", cty.Map(cty.List(cty.String)))
	if !ok {
		return
	}
	var aliases []corev1.HostAlias
	all := v.AsValueMap()
	for _, ip := range evaluate.Names(all) {
		c.address(ip, evaluate.KeyRange(b.Attr("host_aliases"), ip))
		a := corev1.HostAlias{IP: ip}
		for i, name := range all[ip].AsValueSlice() {
			if len(validation.IsDNS1123Subdomain(name.AsString())) > 0 {
				c.diags.Add(diag.New("invalid-name", evaluate.Element(evaluate.Part(b.Attr("host_aliases"), ip), i).Range(), "%q is not a valid host name", name.AsString()))
			}
			a.Hostnames = append(a.Hostnames, name.AsString())
		}
		aliases = append(aliases, a)
	}
	setList(c.fields, "hostAliases", aliases)
}
