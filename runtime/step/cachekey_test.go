//go:build linux

package step_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func key(t *testing.T, k *step.Keyer, x *trial) step.Key {
	t.Helper()
	got, err := k.Key(context.Background(), x.spec, x.deps)
	if err != nil {
		t.Fatal(err)
	}
	if (got.Digest == "") == (got.Why == "") {
		t.Fatalf("%+v", got)
	}
	return got
}

// program is in its own directory, so that a test can change it.
func ownProgram(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prog")
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCacheKey(t *testing.T) {
	prog := ownProgram(t, "#!/bin/sh\necho 1\n")
	fresh := func() *trial {
		x := newTrial(t, prog, "--in", "ref:input.f.path", "ref:output.o.path", "ref:input.n", "ref:param.p").outputs("o", "number").value("n", "string", `"v"`)
		x.spec.Inputs = append(x.spec.Inputs, record.Datum{Name: "f", Type: "file", Artifact: &record.Artifact{Digest: program.Digest([]byte("1")), Size: 1}})
		x.spec.Refs = map[string]json.RawMessage{"param.p": json.RawMessage(`"x"`)}
		x.spec.Program.Env = []program.Env{{Name: "E", Value: program.Value{Ref: "output.o.path"}}}
		x.spec.Program.SecretEnv = []program.Secret{{Name: "T", Secret: "s", Key: "k"}}
		x.spec.Program.Cache = &program.Cache{Salt: "a"}
		return x
	}
	k := &step.Keyer{Dir: t.TempDir()}
	want := key(t, k, fresh()).Digest
	if want == "" {
		t.Fatal("no digest")
	}
	same := map[string]func(*trial){
		"nothing":       func(*trial) {},
		"where it is":   func(x *trial) { x.spec.Root = "/elsewhere/entirely" },
		"the run":       func(x *trial) { x.spec.Run, x.spec.Attempt, x.spec.UserAttempt = "other", 9, 9 },
		"the secret":    func(x *trial) { x.deps.Secrets = map[string]string{"T": "another"} },
		"other Environ": func(x *trial) { x.deps.Environ = append([]string{"SHELL=/x"}, x.deps.Environ...) },
		"the name":      func(x *trial) { x.spec.Step, x.spec.Program.Name = "renamed", "renamed" },
		"the timeout":   func(x *trial) { x.spec.Program.Timeout = 5 },
	}
	for name, change := range same {
		x := fresh()
		change(x)
		if got := key(t, k, x); got.Digest != want {
			t.Errorf("%s changes the key: %+v", name, got)
		}
	}
	differs := map[string]func(*trial){
		"an argument": func(x *trial) { x.spec.Program.Command[1] = text("--out") },
		"env":         func(x *trial) { x.spec.Program.Env[0].Value = text("1") },
		"a value":     func(x *trial) { x.spec.Inputs[0].Value = json.RawMessage(`"w"`) },
		"a parameter": func(x *trial) { x.spec.Refs["param.p"] = json.RawMessage(`"y"`) },
		"an input": func(x *trial) {
			x.spec.Inputs[1].Artifact = &record.Artifact{Digest: program.Digest([]byte("2")), Size: 1}
		},
		"an input's type":  func(x *trial) { x.spec.Inputs[1].Type = "model" },
		"an output's type": func(x *trial) { x.spec.Program.Outputs[0].Type = "string" },
		"an output":        func(x *trial) { x.outputs("p", "number") },
		"the salt":         func(x *trial) { x.spec.Program.Cache = &program.Cache{Salt: "b"} },
		"a secret's name":  func(x *trial) { x.spec.Program.SecretEnv[0].Key = "other" },
		"the code":         func(x *trial) { x.spec.Code = program.Digest([]byte("code")) },
	}
	seen := map[string]string{want: "nothing"}
	for name, change := range differs {
		x := fresh()
		change(x)
		got := key(t, k, x).Digest
		if seen[got] != "" {
			t.Errorf("%s gives the key of %s", name, seen[got])
		}
		seen[got] = name
	}
	// Each element of a list is a part of the key.
	x := fresh()
	x.spec.Inputs[1] = record.Datum{Name: "f", Type: "list(file)", Elems: []record.Datum{{Type: "file", Artifact: &record.Artifact{Digest: program.Digest([]byte("1"))}}}}
	one := key(t, k, x).Digest
	x.spec.Inputs[1].Elems[0].Artifact.Digest = program.Digest([]byte("2"))
	if two := key(t, k, x).Digest; one == two || one == want {
		t.Error("an element doesn't change the key")
	}
	if err := os.WriteFile(prog, []byte("#!/bin/sh\necho 2 changed\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := key(t, k, fresh()).Digest; got == want {
		t.Error("another executable has the same key")
	}
}

func TestNoDigestNoCaching(t *testing.T) {
	k := &step.Keyer{}
	for _, c := range []struct {
		x    *trial
		says string
	}{
		{newTrial(t, "true"), "no outputs"},
		{newTrial(t, "no-such-program").outputs("o", "number"), "no such program"},
		{newTrial(t, "ref:param.x").outputs("o", "number"), "param.x"},
	} {
		if got := key(t, k, c.x); !strings.Contains(got.Why, c.says) {
			t.Errorf("%+v doesn't say %q", got, c.says)
		}
	}
	x := python(t, "steps:f", "").outputs("o", "number")
	x.deps.Environ = []string{"PATH=" + os.Getenv("PATH"), "PYTHONPATH=/lib"}
	if got := key(t, k, x); !strings.Contains(got.Why, "PYTHONPATH") {
		t.Errorf("%+v", got)
	}
	x.spec.Code = ""
	if got := key(t, k, x); !strings.Contains(got.Why, "no code block") {
		t.Errorf("%+v", got)
	}
}

// Installed packages are a part of the key. A script, such as pyenv's, is queried once by each Keyer, and again when a
// .pth file is new.
func TestPythonCacheKey(t *testing.T) {
	base := python(t, "steps:f", "").outputs("o", "number")
	venv := t.TempDir()
	site := filepath.Join(venv, "site")
	asked := filepath.Join(venv, "asked")
	script := "#!/bin/sh\necho x >> " + asked + "\necho '{\"executable\": \"/bin/sh\", \"version\": \"3.99\", \"paths\": [\"" + site + "\"]}'\n"
	shim := filepath.Join(venv, "python3")
	if err := os.WriteFile(shim, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	base.spec.Python = shim
	k := &step.Keyer{Dir: filepath.Join(venv, "kept")}
	keys := map[string]bool{key(t, k, base).Digest: true}
	for _, install := range []string{"numpy-1.0.dist-info/METADATA", "old.egg-info/PKG-INFO", "editable.pth"} {
		path := filepath.Join(site, install)
		_ = os.MkdirAll(filepath.Dir(path), 0o777)
		if err := os.WriteFile(path, []byte("/src\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		got := key(t, k, base).Digest
		if keys[got] {
			t.Errorf("%s doesn't change the key", install)
		}
		keys[got] = true
	}
	if data, _ := os.ReadFile(asked); len(data) != 2*2 {
		t.Errorf("a script was asked %d times, not 2", len(data)/2)
	}
	if got := key(t, &step.Keyer{Dir: k.Dir}, base).Digest; !keys[got] {
		t.Error("another Keyer gives another key")
	}
	if data, _ := os.ReadFile(asked); len(data) != 2*3 {
		t.Errorf("a script was asked %d times, not 3", len(data)/2)
	}
}

func TestInterpreterIsAskedOnce(t *testing.T) {
	x := python(t, "steps:f", "").outputs("o", "number")
	path, err := filepath.EvalSymlinks("/usr/bin/python3")
	if err != nil {
		t.Skip(err)
	}
	x.spec.Python = path
	dir := t.TempDir()
	want := key(t, &step.Keyer{Dir: dir}, x).Digest
	kept, err := filepath.Glob(filepath.Join(dir, "python-*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v, %v", kept, err)
	}
	// The cached facts are used: another version in them changes the key.
	data, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := key(t, &step.Keyer{Dir: dir}, x).Digest; got != want {
		t.Error("remembered, the key is another")
	}
	var said map[string]any
	if err := json.Unmarshal(data, &said); err != nil {
		t.Fatal(err)
	}
	said["version"] = "0.1"
	changed, _ := json.Marshal(said)
	if err := os.WriteFile(kept[0], changed, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := key(t, &step.Keyer{Dir: dir}, x).Digest; got == want {
		t.Error("the interpreter was asked again")
	}
	// If they are damaged, the interpreter is queried.
	if err := os.WriteFile(kept[0], []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := key(t, &step.Keyer{Dir: dir}, x).Digest; got != want {
		t.Error("after damage the key is another")
	}
}

func TestCacheEntry(t *testing.T) {
	r := record.Result{Run: "r", EndedAt: time.Unix(1, 0)}
	if e := step.CacheEntryFor(&r); e.Run != "r" || !e.At.Equal(r.EndedAt) || e.Version != record.Version {
		t.Errorf("%+v", e)
	}
}
