package cluster

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/schema/kube"
)

// maxProgram limits the size of a decompressed program.
const maxProgram = 1 << 30

// ProgramChange is the change of a compiled pipeline that already exists on the cluster.
type ProgramChange struct {
	Pipeline string  `json:"pipeline"`
	Fields   []Field `json:"fields"`
	all      []Field
}

// All returns the changed and the unchanged fields. Only the changed ones are known if the change comes from a document.
func (c *ProgramChange) All() []Field {
	if c.all == nil {
		return c.Fields
	}
	return c.all
}

// programs compares the programs that CronJobs refer to now with those that they will refer to.
func (p *planner) programs(ctx context.Context) ([]ProgramChange, error) {
	place := []string{"spec", "jobTemplate", "spec", "template", "spec"}
	var out []ProgramChange
	seen := map[string]bool{} // the CronJobs of a pipeline's schedules refer to the same program
	for i, live := range p.live {
		if live == nil || live.GetKind() != "CronJob" || seen[pipelineOf(live)] {
			continue
		}
		seen[pipelineOf(live)] = true
		before, after := configMaps(live, place...), configMaps(&p.Objects[i], place...)
		if slices.Equal(before, after) {
			continue
		}
		old, err := p.read(ctx, before)
		if err != nil {
			return nil, err
		}
		now := p.desired(after)
		if old == nil || now == nil {
			continue // the live program can't be read, perhaps from another version: the objects' own fields show the change
		}
		if all := Whole(old, now); changed(all) != nil {
			out = append(out, ProgramChange{Pipeline: pipelineOf(live), Fields: changed(all), all: all})
		}
	}
	return out, nil
}

// read returns the program in the live ConfigMaps with these names, or nil if they contain none.
func (p *planner) read(ctx context.Context, names []string) (any, error) {
	parts := make([]*unstructured.Unstructured, len(names))
	if err := each(ctx, len(names), func(ctx context.Context, i int) error {
		var err error
		parts[i], err = p.get(ctx, kindOf("ConfigMap"), names[i])
		return err
	}); err != nil {
		return nil, err
	}
	v, err := decode(parts)
	if err != nil {
		return nil, nil
	}
	return v, nil
}

func (p *planner) desired(names []string) any {
	var parts []*unstructured.Unstructured
	for i := range p.Objects {
		if p.Objects[i].GetKind() == "ConfigMap" && slices.Contains(names, p.Objects[i].GetName()) {
			parts = append(parts, &p.Objects[i])
		}
	}
	v, err := decode(parts)
	if err != nil {
		return nil
	}
	return v
}

// decode assembles a program from the ConfigMaps of its parts.
func decode(parts []*unstructured.Unstructured) (any, error) {
	text, err := content(parts)
	if err != nil {
		return nil, err
	}
	var v any
	err = json.Unmarshal(text, &v)
	return v, err
}

// content returns the JSON of a program, from the ConfigMaps of its parts.
func content(parts []*unstructured.Unstructured) ([]byte, error) {
	files := map[string]string{}
	var names []string
	for _, u := range parts {
		if u == nil {
			return nil, errors.New("a part is missing")
		}
		data, _, _ := unstructured.NestedStringMap(u.Object, "binaryData")
		for name, text := range data {
			if strings.HasPrefix(name, kube.ProgramFile) {
				files[name] = text
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	var zipped bytes.Buffer
	for _, name := range names {
		data, err := base64.StdEncoding.DecodeString(files[name])
		if err != nil {
			return nil, err
		}
		zipped.Write(data)
	}
	r, err := gzip.NewReader(&zipped)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxProgram))
}

// sameProgram returns the desired ConfigMap with the live content if that is the same program with another compression.
// Other versions of pipec may compress differently, and an immutable ConfigMap can't be changed. Programs in several
// parts are compared by the digest in their name, because a single part can't be decompressed.
func sameProgram(want, live *unstructured.Unstructured) *unstructured.Unstructured {
	digest := want.GetAnnotations()[kube.AnnotationProgram]
	if want.GetKind() != "ConfigMap" || digest == "" || live.GetAnnotations()[kube.AnnotationProgram] != digest {
		return want
	}
	data, ok, _ := unstructured.NestedMap(live.Object, "binaryData")
	if !ok {
		return want
	}
	mine, _, _ := unstructured.NestedMap(want.Object, "binaryData")
	if len(mine) != 1 || len(data) != 1 || !single(mine) || !single(data) {
		return want
	}
	a, errA := content([]*unstructured.Unstructured{want})
	b, errB := content([]*unstructured.Unstructured{live})
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		return want
	}
	out := want.DeepCopy()
	out.Object["binaryData"] = data
	return out
}

// single reports whether the program is in one file.
func single(data map[string]any) bool {
	_, ok := data[kube.ProgramFile]
	return ok
}

// fields returns the values of an object before and after. Compressed data is replaced by its size, because base64 is
// not readable.
func fields(u *unstructured.Unstructured, before, after map[string]any) []Field {
	var old any
	if before != nil {
		old = before
	}
	out := Whole(old, after)
	if u.GetKind() != "ConfigMap" {
		return out
	}
	size := func(raw json.RawMessage) json.RawMessage {
		var text string
		if raw == nil || json.Unmarshal(raw, &text) != nil {
			return raw
		}
		return encode(fmt.Sprintf("(%d bytes)", len(text)/4*3-strings.Count(text, "=")))
	}
	for i := range out {
		if f := &out[i]; strings.HasPrefix(f.Path, "binaryData") {
			f.Before, f.After = size(f.Before), size(f.After)
		}
	}
	return out
}

// changed returns the fields that differ.
func changed(all []Field) []Field {
	var out []Field
	for _, f := range all {
		if !f.Same() {
			out = append(out, f)
		}
	}
	return out
}
