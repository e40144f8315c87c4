package check

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/podspec"
	"pipec.dev/pipec/schema/kube/pod"
)

// knobs are the fields of a PodSpec that the step's own attributes and blocks say, by their names in JSON.
type knobs map[string]any

// podFields checks all blocks and attributes that are about the pod; `pod` is laid over them.
func (c *checker) podFields(s *Step) {
	k := knobs{}
	volumes := c.volumes(s, k)
	names := c.containers(s, volumes, k)
	c.tolerations(s.Block, k)
	c.affinity(s.Block, k)
	c.spread(s.Block, k)
	c.dns(s.Block, k)
	c.classes(s.Block, k)
	c.podPatch(s, k, names)
}

// joined are the fields whose items `pod` may add to, or say more of.
var joined = []string{"volumes", "initContainers", "containers"}

// podPatch checks `pod` and lays it over what the blocks say. What both say would be lost in silence, and is an error.
func (c *checker) podPatch(s *Step, k knobs, names map[string]bool) {
	patch := c.pod(s, names)
	if patch != nil {
		var given map[string]json.RawMessage
		if json.Unmarshal(patch, &given) == nil {
			for _, name := range evaluate.Names(given) {
				if _, both := k[name]; both && !slices.Contains(joined, name) {
					at := evaluate.KeyRange(c.world.Follow(s.Block.Attr("pod")), name)
					c.diags.Add(diag.New("duplicate", at, "`%s` is said by the step's own attributes or blocks, and by `pod` again", name))
				}
			}
		}
	}
	if len(k) == 0 {
		s.Program.PodPatch = patch
		return
	}
	under, err := json.Marshal(k)
	if err == nil {
		s.Program.PodPatch, err = pod.Merge(under, patch)
	}
	if err != nil { // checked values only
		c.diags.Add(diag.New("evaluation", s.Block.DefRange, "the pod of %s can't be written: %v", describe(s.Block), err))
	}
}

func (c *checker) tolerations(b *decode.Block, k knobs) {
	var out []corev1.Toleration
	for _, n := range b.All("toleration") {
		t := corev1.Toleration{}
		t.Key = c.labelKey(n, "key")
		t.Value, _ = c.world.String(n, "value")
		if t.Value != "" && len(validation.IsValidLabelValue(t.Value)) > 0 {
			c.diags.Add(diag.New("invalid-value", n.Attr("value").Range(), "%q can't be the value of a taint", t.Value))
		}
		operator, said := c.world.String(n, "operator")
		if !said {
			if operator = "Exists"; n.Attr("value") != nil {
				operator = "Equal"
			}
		}
		t.Operator = corev1.TolerationOperator(operator)
		effect, _ := c.world.String(n, "effect")
		t.Effect = corev1.TaintEffect(effect)
		switch {
		case operator == "Exists" && n.Attr("value") != nil:
			c.diags.Add(diag.New("invalid-value", n.Attr("value").Range(), "`Exists` asks for no value").WithSuggestion(`leave out the operator, or write "Equal"`))
		case operator == "Equal" && n.Attr("key") == nil:
			c.diags.Add(diag.New("missing", n.DefRange, "a toleration of a value needs a `key`"))
		}
		if seconds, ok := c.world.Int(n, "seconds", 0); ok {
			s64 := int64(seconds)
			t.TolerationSeconds = &s64
			if effect != string(corev1.TaintEffectNoExecute) {
				c.diags.Add(diag.New("invalid-value", n.Attr("seconds").Range(), "`seconds` has a meaning for the effect `NoExecute` alone").
					WithSuggestion(`write effect = "NoExecute" beside it`))
			}
		}
		out = append(out, t)
	}
	put(k, "tolerations", sorted(out))
}

func (c *checker) affinity(b *decode.Block, k knobs) {
	n := b.One("affinity")
	if n == nil {
		return
	}
	out := map[string]any{}
	for name, f := range map[string]struct {
		field string
		of    reflect.Type
	}{
		"node":     {"nodeAffinity", reflect.TypeFor[corev1.NodeAffinity]()},
		"pod":      {"podAffinity", reflect.TypeFor[corev1.PodAffinity]()},
		"pod_anti": {"podAntiAffinity", reflect.TypeFor[corev1.PodAntiAffinity]()},
	} {
		e := n.Attr(name)
		if e == nil {
			continue
		}
		if v, ok := c.world.Const(e); !ok {
			continue
		} else if evaluate.IsSensitive(v) {
			c.diags.Add(c.world.SensitiveFault(e))
		} else if part := podspec.Part(c.world, e, v, f.of, f.field); part != nil {
			out[f.field] = part
		}
	}
	if len(n.Attrs) == 0 {
		c.diags.Add(diag.New("missing", n.DefRange, "`affinity` says nothing").WithSuggestion("write node, pod or pod_anti in it"))
	}
	if len(out) > 0 {
		k["affinity"] = out
	}
}

func (c *checker) spread(b *decode.Block, k knobs) {
	seen := map[string]hcl.Range{}
	var out []map[string]any
	for _, n := range b.All("topology_spread") {
		key := c.labelKey(n, "key")
		skew, ok := c.world.Int(n, "max_skew", 1)
		if !ok {
			skew = 1
		}
		when, ok := c.world.String(n, "when_unsatisfiable")
		if !ok {
			when = "DoNotSchedule"
		}
		if first, twice := seen[key+" "+when]; twice {
			c.diags.Add(diag.New("duplicate", n.DefRange, "`%s` is spread over twice in the same way", key).WithRelated(first, "the first one is here"))
		}
		seen[key+" "+when] = n.DefRange
		match := c.labels(n, "match_labels")
		if e := n.Attr("match_labels"); e != nil && len(match) == 0 && !c.diags.HasErrors() {
			c.diags.Add(diag.New("invalid-value", e.Range(), "`match_labels` is empty, and would count every pod"))
		}
		out = append(out, map[string]any{
			"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, "labelSelector": map[string]any{"matchLabels": match},
		})
	}
	put(k, "topologySpreadConstraints", sorted(out))
}

func (c *checker) dns(b *decode.Block, k knobs) {
	n := b.One("dns")
	if n == nil {
		return
	}
	config := corev1.PodDNSConfig{Nameservers: c.world.Strings(n, "nameservers"), Searches: c.world.Strings(n, "searches")}
	for i, address := range config.Nameservers {
		c.address(address, evaluate.Element(n.Attr("nameservers"), i).Range())
	}
	for i, domain := range config.Searches {
		if domain != "." && len(validation.IsDNS1123Subdomain(strings.TrimSuffix(strings.ReplaceAll(domain, "_", "-"), "."))) > 0 {
			c.diags.Add(diag.New("invalid-name", evaluate.Element(n.Attr("searches"), i).Range(), "%q is not a domain", domain))
		}
	}
	c.most(n, "nameservers", len(config.Nameservers), 3)
	c.most(n, "searches", len(config.Searches), 32)
	options := c.world.StringMap(n, "options")
	for _, name := range evaluate.Names(options) {
		o := corev1.PodDNSConfigOption{Name: name}
		if v := options[name]; v != "" {
			o.Value = &v
		}
		if name == "" {
			c.diags.Add(diag.New("invalid-name", n.Attr("options").Range(), "an option of the resolver has a name"))
		}
		config.Options = append(config.Options, o)
	}
	policy, said := c.world.String(n, "policy")
	if policy == "None" && len(config.Nameservers) == 0 {
		c.diags.Add(diag.New("missing", n.DefRange, "with the policy `None`, `nameservers` must say where names are resolved"))
	}
	if said {
		k["dnsPolicy"] = policy
	}
	if len(config.Nameservers)+len(config.Searches)+len(config.Options) > 0 {
		k["dnsConfig"] = config
	}
}

func (c *checker) most(b *decode.Block, name string, n, most int) {
	if n > most {
		c.diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "Kubernetes takes at most %d `%s`, and these are %d", most, name, n))
	}
}

func (c *checker) address(text string, at hcl.Range) {
	if a, err := netip.ParseAddr(text); err != nil || a.Zone() != "" {
		c.diags.Add(diag.New("invalid-value", at, "%q is not an address, such as 10.0.0.7", text))
	}
}

// classes checks what is a name, or a list of them.
func (c *checker) classes(b *decode.Block, k knobs) {
	if name := c.objectName(b, "priority_class", validation.IsDNS1123Subdomain); name != "" {
		k["priorityClassName"] = name
	}
	if name := c.objectName(b, "runtime_class", validation.IsDNS1123Subdomain); name != "" {
		k["runtimeClassName"] = name
	}
	var secrets []corev1.LocalObjectReference
	for i, name := range c.world.Strings(b, "image_pull_secrets") {
		at := evaluate.Element(b.Attr("image_pull_secrets"), i).Range()
		switch ref := (corev1.LocalObjectReference{Name: name}); {
		case len(validation.IsDNS1123Subdomain(name)) > 0:
			c.diags.Add(diag.New("invalid-name", at, "%q can't be the name of a Secret in Kubernetes", name))
		case slices.Contains(secrets, ref):
			c.diags.Add(diag.New("duplicate", at, "the Secret %q stands twice in the list", name))
		default:
			secrets = append(secrets, ref)
		}
	}
	put(k, "imagePullSecrets", secrets)
	v, ok := c.world.Get(b, "host_aliases", cty.Map(cty.List(cty.String)))
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
				c.diags.Add(diag.New("invalid-name", evaluate.Element(evaluate.Part(b.Attr("host_aliases"), ip), i).Range(), "%q can't be the name of a host", name.AsString()))
			}
			a.Hostnames = append(a.Hostnames, name.AsString())
		}
		aliases = append(aliases, a)
	}
	put(k, "hostAliases", aliases)
}

// labelKey is the key of a label or a taint.
func (c *checker) labelKey(b *decode.Block, name string) string {
	text, ok := c.world.String(b, name)
	if ok && len(validation.IsQualifiedName(text)) > 0 {
		c.diags.Add(diag.New("invalid-name", b.Attr(name).Range(), "%q can't be the key of a label or a taint", text))
	}
	return text
}

func put[T any](k knobs, name string, items []T) {
	if len(items) > 0 {
		k[name] = items
	}
}

// sorted puts items, whose order has no meaning, into the order of their JSON: the order of blocks changes no program.
func sorted[T any](items []T) []T {
	text := func(v T) string { data, _ := json.Marshal(v); return string(data) }
	slices.SortStableFunc(items, func(a, b T) int { return strings.Compare(text(a), text(b)) })
	return slices.CompactFunc(items, func(a, b T) bool { return text(a) == text(b) })
}
