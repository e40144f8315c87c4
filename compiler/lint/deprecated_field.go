package lint

import (
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
)

var deprecatedField = &Rule{
	Code: "deprecated-field", Level: Warning,
	Summary: "A step uses a field, label or annotation of Kubernetes that is deprecated.",
	Doc: "It may stop working with the cluster's next version, or may have stopped already: drivers of volumes have moved out of Kubernetes, and profiles from annotations into " +
		"fields. The rule knows the fields that the comments of Kubernetes' own Go types (k8s.io/api/core/v1) call deprecated, and the labels in its list of well-known labels.\n\n" +
		"`--fix` writes a label's new name.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			if e := s.Block.Attr("pod"); e != nil {
				deprecatedIn(p, reflect.TypeFor[corev1.PodSpec](), e)
			}
			labelsIn(p, s.Block)
			if e := s.Block.Attr("annotations"); e != nil {
				annotationsIn(p, e)
			}
		}
	},
}

// csi is the replacement of volumes that the kubelet itself provides.
const csi = "use a claim, or an ephemeral volume, of the storage's CSI driver"

// deprecatedFields are the fields that are reachable from a PodSpec and that Kubernetes' comments call deprecated, with
// their replacements. A test compares them with the comments.
var deprecatedFields = map[string]string{
	"VolumeSource.awsElasticBlockStore": csi,
	"VolumeSource.azureDisk":            csi,
	"VolumeSource.azureFile":            csi,
	"VolumeSource.cephfs":               csi,
	"VolumeSource.cinder":               csi,
	"VolumeSource.flexVolume":           csi,
	"VolumeSource.flocker":              csi,
	"VolumeSource.gcePersistentDisk":    csi,
	"VolumeSource.gitRepo":              "clone in an init container into an emptyDir, or ship a code block",
	"VolumeSource.glusterfs":            csi,
	"VolumeSource.photonPersistentDisk": csi,
	"VolumeSource.portworxVolume":       csi,
	"VolumeSource.quobyte":              csi,
	"VolumeSource.rbd":                  csi,
	"VolumeSource.scaleIO":              csi,
	"VolumeSource.storageos":            csi,
	"VolumeSource.vsphereVolume":        csi,
	"LifecycleHandler.tcpSocket":        "use exec, httpGet or sleep: a hook with tcpSocket fails when it is called",
	"PodSpec.serviceAccount":            "use serviceAccountName",
}

// deprecatedIn checks a value of a Kubernetes type as far as it is written out.
func deprecatedIn(p *Pass, t reflect.Type, e hcl.Expression) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch e := p.Evaluated.Values.Follow(e).(type) {
	case *hclsyntax.TupleConsExpr:
		if t.Kind() == reflect.Slice {
			for _, x := range e.Exprs {
				deprecatedIn(p, t.Elem(), x)
			}
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			name := evaluate.KeyName(item.KeyExpr)
			switch t.Kind() {
			case reflect.Map:
				deprecatedIn(p, t.Elem(), item.ValueExpr)
			case reflect.Struct:
				owner, field, ok := fieldOf(t, name)
				if !ok {
					continue
				}
				if instead, is := deprecatedFields[owner.Name()+"."+name]; is {
					p.Report(p.New(item.KeyExpr.Range(), "Kubernetes has deprecated `%s`", name).WithSuggestion("%s", instead))
				}
				deprecatedIn(p, field, item.ValueExpr)
			}
		}
	}
}

// fieldOf finds a field by its name in JSON, and the struct that declares it: t, or a struct that is inlined in t.
func fieldOf(t reflect.Type, name string) (owner, field reflect.Type, ok bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == name && name != "":
			return t, f.Type, true
		case tag == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			if owner, field, ok := fieldOf(f.Type, name); ok {
				return owner, field, true
			}
		}
	}
	return nil, nil, false
}

// deprecatedLabels are labels of nodes with a new name.
var deprecatedLabels = map[string]string{
	"beta.kubernetes.io/arch":           corev1.LabelArchStable,
	"beta.kubernetes.io/os":             corev1.LabelOSStable,
	corev1.LabelInstanceType:            corev1.LabelInstanceTypeStable,
	corev1.LabelFailureDomainBetaZone:   corev1.LabelTopologyZone,
	corev1.LabelFailureDomainBetaRegion: corev1.LabelTopologyRegion,
}

func labelsIn(p *Pass, b *decode.Block) {
	object, ok := b.Attr("node_selector").(*hclsyntax.ObjectConsExpr)
	if !ok {
		return
	}
	for _, item := range object.Items {
		key := evaluate.KeyName(item.KeyExpr)
		now, is := deprecatedLabels[key]
		if !is {
			continue
		}
		d := p.New(item.KeyExpr.Range(), "Kubernetes has deprecated the label %q", key).WithSuggestion("write %q", now)
		if evaluate.Item(object, now) == nil {
			d = d.WithFix(item.KeyExpr.Range(), `"`+now+`"`)
		}
		p.Report(d)
	}
}

// deprecatedAnnotations are the prefixes of annotations of pods that have become fields.
var deprecatedAnnotations = map[string]string{
	corev1.SeccompPodAnnotationKey:                            "seccompProfile of a securityContext in `pod`",
	corev1.SeccompContainerAnnotationKeyPrefix:                "seccompProfile of a container's securityContext in `pod`",
	corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix: "appArmorProfile of a securityContext in `pod`",
}

func annotationsIn(p *Pass, e hcl.Expression) {
	object, ok := p.Evaluated.Values.Follow(e).(*hclsyntax.ObjectConsExpr)
	if !ok {
		return
	}
	for _, item := range object.Items {
		key := evaluate.KeyName(item.KeyExpr)
		for prefix, instead := range deprecatedAnnotations {
			if key == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(key, prefix) {
				p.Report(p.New(item.KeyExpr.Range(), "Kubernetes has deprecated the annotation %q", key).WithSuggestion("use %s", instead))
			}
		}
	}
}
