package cluster

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/kube"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct{ want, text string }{
		{"not part of a definition", `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}`},
		{`for namespace "other"`, `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "other"}}`},
		{"has no label", `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}`},
	} {
		o := Options{Cluster: &connect.Connection{Namespace: "ml"}, Objects: []unstructured.Unstructured{*object(t, c.text)}}
		if err := check(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	twice := object(t, `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"app.kubernetes.io/managed-by": "pipec"}}}`)
	if err := check(Options{Cluster: &connect.Connection{Namespace: "ml"}, Objects: []unstructured.Unstructured{*twice, *twice}}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("%v", err)
	}
}

func TestOver(t *testing.T) {
	for text, want := range map[string]bool{
		`{"apiVersion": "batch/v1", "kind": "Job"}`:                                                                                  false,
		`{"apiVersion": "batch/v1", "kind": "Job", "status": {"active": 1}}`:                                                         false,
		`{"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "FailureTarget", "status": "True"}]}}`:         false,
		`{"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "Suspended", "status": "True"}]}}`:             false,
		`{"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "False"}]}}`:             false,
		`{"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "True"}]}}`:              true,
		`{"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "x"}, {"type": "Failed", "status": "True"}]}}`: true,
		`{"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": "junk"}}`:                                                false,
	} {
		if got := over(object(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// packed returns a ConfigMap with a part of a program.
func packed(t *testing.T, file, digest string, data []byte) *unstructured.Unstructured {
	u := object(t, `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}`)
	u.SetAnnotations(map[string]string{kube.AnnotationProgram: digest})
	u.Object["binaryData"] = map[string]any{file: base64.StdEncoding.EncodeToString(data)}
	return u
}

func zipped(t *testing.T, text string, level int) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecode(t *testing.T) {
	data := zipped(t, `{"steps": [{"name": "a"}]}`, gzip.BestCompression)
	half := len(data) / 2
	whole := packed(t, kube.ProgramFile, "d", data)
	first, second := packed(t, kube.ProgramFile+".000", "d", data[:half]), packed(t, kube.ProgramFile+".001", "d", data[half:])
	for name, parts := range map[string][]*unstructured.Unstructured{"one": {whole}, "two": {first, second}, "in any order": {second, first}} {
		v, err := decode(parts)
		if err != nil || lines(Diff(nil, v)) != `steps["a"].name:  -> "a"` {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	for name, parts := range map[string][]*unstructured.Unstructured{
		"none": nil, "one is missing": {first}, "one is not there": {first, nil}, "junk": {packed(t, kube.ProgramFile, "d", []byte("junk"))},
		"not base64": {object(t, `{"apiVersion": "v1", "kind": "ConfigMap", "binaryData": {"program.json.gz": "%"}}`)},
	} {
		if v, err := decode(parts); err == nil {
			t.Errorf("%s: %v", name, v)
		}
	}
}

// TestUnpack: a plan shows the fields of a program in place of the compressed data, with the first of its ConfigMaps.
func TestUnpack(t *testing.T) {
	data := zipped(t, `{"steps": [{"name": "a", "command": ["sh"]}]}`, gzip.BestCompression)
	half := len(data) / 2
	plan := &Changes{}
	for i, u := range []*unstructured.Unstructured{
		packed(t, kube.ProgramFile, "one", data), packed(t, kube.ProgramFile+".000", "two", data[:half]), packed(t, kube.ProgramFile+".001", "two", data[half:]),
		packed(t, kube.ProgramFile, "bad", []byte("junk")),
	} {
		u.SetName(fmt.Sprintf("p-%d", i))
		plan.List = append(plan.List, created(u, Create))
	}
	same := packed(t, kube.ProgramFile, "same", data)
	plan.List = append(plan.List, Change{Action: Unchanged, Kind: "ConfigMap", desired: same, all: fields(same, clean(same.Object), clean(same.Object))},
		Change{Action: Delete, Kind: "ConfigMap", Name: "old"}, Change{Action: Create, Kind: "Role", desired: object(t, `{"kind": "Role"}`)})
	plan.Unpack()
	program := `program.steps["a"].command:  -> ["sh"]` + "\n" + `program.steps["a"].name:  -> "a"`
	for i, want := range []string{program, program, `program:  -> "(part 2 of 2; see ConfigMap p-1)"`, `binaryData["program.json.gz"]:  -> "(4 bytes)"`} {
		got := ""
		for _, f := range plan.List[i].All() {
			if !strings.HasPrefix(f.Path, "metadata") && f.Path != "kind" && f.Path != "apiVersion" {
				got += fmt.Sprintf("\n%s: %s -> %s", f.Path, f.Before, f.After)
			}
		}
		if strings.TrimPrefix(got, "\n") != want || len(plan.List[i].Fields) != len(plan.List[i].All()) {
			t.Errorf("%d: got %s\nwant %s", i, got, want)
		}
	}
	if ch := &plan.List[4]; ch.Fields != nil || !slices.ContainsFunc(ch.All(), func(f Field) bool { return f.Path == `program.steps["a"].name` && f.Same() }) {
		t.Errorf("unchanged: %+v", ch.All())
	}
}

// The same program with another compression is not a change: an immutable ConfigMap can't be changed.
func TestSameProgram(t *testing.T) {
	best, fast := zipped(t, strings.Repeat("program ", 99), gzip.BestCompression), zipped(t, strings.Repeat("program ", 99), gzip.HuffmanOnly)
	want := packed(t, kube.ProgramFile, "d", best)
	if got := sameProgram(want, packed(t, kube.ProgramFile, "d", fast)); lines(Diff(want.Object, got.Object)) == "" {
		t.Error("the live content isn't taken")
	}
	for name, live := range map[string]*unstructured.Unstructured{
		"another digest":  packed(t, kube.ProgramFile, "e", fast),
		"another program": packed(t, kube.ProgramFile, "d", zipped(t, "other", gzip.BestCompression)),
		"a part":          packed(t, kube.ProgramFile+".000", "d", fast),
		"junk":            packed(t, kube.ProgramFile, "d", []byte("junk")),
	} {
		if got := sameProgram(want, live); lines(Diff(want.Object, got.Object)) != "" {
			t.Errorf("%s is taken for the same", name)
		}
	}
}

func TestMountsImages(t *testing.T) {
	for runtime, want := range map[string]bool{
		"containerd://2.4.0": true, "containerd://2.1.0": true, "containerd://2.0.5": false, "containerd://1.7.27": false,
		"cri-o://1.31.2": true, "cri-o://1.30.0": false, "docker://29.0.0": true, "containerd://": true, "": true,
	} {
		if got := mountsImages(runtime); got != want {
			t.Errorf("%s: %v", runtime, got)
		}
	}
	for version, want := range map[string]bool{"v1.37.2": true, "v1.36.0-eks-5d4a308": true, "v1.35.9": false, "v1.35.1+k3s1": false, "junk": false} {
		if got := imageVolumes(version); got != want {
			t.Errorf("%s: %v", version, got)
		}
	}
}
