package pod

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"pgregory.net/rapid"
)

// drawSpec draws the content of a PodSpec: lists with and without keys, objects, maps, plain values.
func drawSpec(t *rapid.T, names []string) map[string]any {
	out := map[string]any{}
	maybe := func(name string, draw func() any) {
		if rapid.Bool().Draw(t, "has "+name) {
			out[name] = draw()
		}
	}
	text := func() any { return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "text") }
	keyed := func(key string, more func(map[string]any)) func() any {
		return func() any {
			list := []any{}
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID).Draw(t, "names") {
				item := map[string]any{key: name}
				more(item)
				list = append(list, item)
			}
			return list
		}
	}
	env := keyed("name", func(m map[string]any) { m["value"] = text() })
	container := func(m map[string]any) {
		m["image"] = text()
		if rapid.Bool().Draw(t, "env") {
			m["env"] = env()
		}
		if rapid.Bool().Draw(t, "args") {
			m["args"] = []any{text()}
		}
		if rapid.Bool().Draw(t, "resources") {
			m["resources"] = map[string]any{"limits": map[string]any{text().(string): "1"}}
		}
		if rapid.Bool().Draw(t, "mounts") {
			m["volumeMounts"] = []any{map[string]any{"name": text(), "mountPath": text()}}
		}
	}
	maybe("containers", keyed("name", container))
	maybe("initContainers", keyed("name", container))
	maybe("volumes", keyed("name", func(m map[string]any) {
		m["emptyDir"] = map[string]any{"sizeLimit": rapid.SampledFrom([]string{"1Gi", "2Gi"}).Draw(t, "size")}
	}))
	maybe("imagePullSecrets", keyed("name", func(map[string]any) {}))
	maybe("nodeSelector", func() any { return map[string]any{text().(string): text()} })
	maybe("tolerations", func() any { return []any{map[string]any{"key": text()}} })
	maybe("priorityClassName", text)
	maybe("hostNetwork", func() any { return rapid.Bool().Draw(t, "host") })
	maybe("securityContext", func() any {
		return map[string]any{"fsGroup": 1 + rapid.Int64Range(0, 3).Draw(t, "group"), "supplementalGroups": []any{rapid.Int64Range(1, 3).Draw(t, "more")}}
	})
	maybe("affinity", func() any {
		return map[string]any{"nodeAffinity": map[string]any{"preferredDuringSchedulingIgnoredDuringExecution": []any{
			map[string]any{"weight": 1 + rapid.Int64Range(0, 3).Draw(t, "weight"), "preference": map[string]any{}}}}}
	})
	maybe("topologySpreadConstraints", keyed("topologyKey", func(m map[string]any) { m["maxSkew"], m["whenUnsatisfiable"] = 1, "DoNotSchedule" }))
	maybe("hostAliases", keyed("ip", func(m map[string]any) { m["hostnames"] = []any{text()} }))
	return out
}

// TestPatchIsStrategic: own merge and Kubernetes' own give the same pod.
func TestPatchIsStrategic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"main", "b", "c", "d"}
		data, err := json.Marshal(drawSpec(t, names))
		if err != nil {
			t.Fatal(err)
		}
		var base corev1.PodSpec
		if err := json.Unmarshal(data, &base); err != nil {
			t.Fatal(err)
		}
		over, err := json.Marshal(drawSpec(t, names))
		if err != nil {
			t.Fatal(err)
		}
		original, err := json.Marshal(base)
		if err != nil {
			t.Fatal(err)
		}
		got, err := patch(&base, over)
		if err != nil {
			t.Fatal(err)
		}
		merged, err := strategicpatch.StrategicMergePatch(original, over, corev1.PodSpec{})
		if err != nil {
			t.Fatal(err)
		}
		var want corev1.PodSpec
		if err := json.Unmarshal(merged, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(sets(got), sets(&want)) {
			a, _ := json.Marshal(got)
			t.Fatalf("base %s\npatch %s\nown  %s\ntheirs %s", original, over, a, merged)
		}
	})
}

// sets takes the order out of lists that are merged by key: it has no meaning there, except for containers', which start in
// it; and theirs puts new items first.
func sets(s *corev1.PodSpec) map[string]any {
	data, _ := json.Marshal(s)
	var out map[string]any
	_ = json.Unmarshal(data, &out)
	return unordered(out).(map[string]any)
}

func unordered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = unordered(v[name])
		}
	case []any:
		out := map[string]any{}
		for i := range v {
			item := unordered(v[i])
			out[fmt.Sprint(item)] = item // fmt sorts maps
		}
		return out
	}
	return v
}
