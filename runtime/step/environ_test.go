package step

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
)

// TestInherited compares the merged environment with a map.
func TestInherited(t *testing.T) {
	name := rapid.SampledFrom([]string{"A", "B", "BB", "HOME", "PYTHONUSERBASE", "PIPEC_X", "HF_HOME", "z"})
	entry := rapid.Custom(func(t *rapid.T) variable {
		return variable{name.Draw(t, "name"), rapid.StringMatching(`[=x]{0,2}`).Draw(t, "value")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		var environ []string
		want := map[string]string{}
		for _, v := range rapid.SliceOfN(entry, 0, 8).Draw(rt, "inherited") {
			environ = append(environ, v.name+"="+v.value)
			if !strings.HasPrefix(v.name, "PIPEC_") {
				want[v.name] = v.value
			}
		}
		if want["HOME"] != "" && want["PYTHONUSERBASE"] == "" {
			want["PYTHONUSERBASE"] = want["HOME"] + "/.local"
		}
		in := Inherit(append(environ, "=x", "none"))
		if in.has("HF_HOME") != (want["HF_HOME"] != "") {
			rt.Fatalf("has HF_HOME: %v of %v", in.has("HF_HOME"), want)
		}
		own := rapid.SliceOfN(entry, 0, 8).Draw(rt, "own")
		for _, v := range own {
			want[v.name] = v.value
		}
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(want)) {
			lines = append(lines, name+"="+want[name])
		}
		if got := in.with(own); !slices.Equal(got, lines) {
			rt.Fatalf("%q, and not %q", got, lines)
		}
	})
}

// TestPlainText: a constant that is not parsed equals the evaluated one.
func TestPlainText(t *testing.T) {
	if text, ok := plainText(&program.Value{Const: []byte(`"/usr/bin/true"`)}); !ok || text != "/usr/bin/true" {
		t.Errorf("%q %v", text, ok)
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := &program.Value{Const: []byte(rapid.StringMatching(`"?[ a~"\\n{é\x7f\x00]{0,5}"?`).Draw(rt, "json"))}
		text, ok := plainText(v)
		if !ok {
			return
		}
		if want, err := v.EvalAs(nil, cty.String); err != nil || want.AsString() != text {
			rt.Fatalf("%s: %q, and not %#v (%v)", v.Const, text, want, err)
		}
	})
}

func TestMemoryFiles(t *testing.T) {
	for _, c := range []struct {
		group string
		want  []string
	}{
		{"0::/kubepods/pod1/c1\n", []string{"/sys/fs/cgroup/kubepods/pod1/c1/memory.events"}},
		{"9:name=systemd:/\n4:cpu,memory:/kubepods/c1\n", []string{"/sys/fs/cgroup/memory/kubepods/c1/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control"}},
		{"4:memory:/\n0::/\n", []string{"/sys/fs/cgroup/memory.events"}},
		{"4:memory\nx\n\n", nil},
	} {
		if got := memoryFiles(c.group); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.group, got)
		}
	}
}

func TestCountKills(t *testing.T) {
	for _, c := range []struct {
		events string
		want   int64
	}{
		{"low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n", 2},
		{"oom_kill 12", 12},
		{"oom_kill_disable 5\nunder_oom 4\noom_kill 3\n", 3},
		{"oom 3\n", 0},
		{"oom_kill x\n", 0},
		{"", 0},
	} {
		if got := countKills([]byte(c.events)); got != c.want {
			t.Errorf("%q: %d", c.events, got)
		}
	}
}
