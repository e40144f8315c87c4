package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestImports: the agent is small, and contains no code that compiles, emits, or uses the full Kubernetes client.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const storeDir = "pipec.dev/pipec/runtime/store"
	ours := map[string]bool{}
	for _, name := range []string{
		"cmd/pipec-agent", "runtime/cache", "runtime/drive", "runtime/lastsuccess", "runtime/engine", "runtime/history", "runtime/imports", "runtime/journal", "runtime/kube", "runtime/kube/groups", "runtime/kube/podstate", "runtime/kube/requests", "runtime/kubeclient", "runtime/lines", "runtime/step/mask",
		"runtime/params", "runtime/rerun", "runtime/spill", "runtime/step", "schema/expr", "schema/glob", "schema/kube", "schema/panics", "schema/paths", "schema/program",
		"schema/record", "schema/types",
	} {
		ours["pipec.dev/pipec/"+name] = true
	}
	seen := 0
	for dep := range strings.FieldsSeq(string(out)) {
		switch {
		case dep == storeDir || strings.HasPrefix(dep, storeDir+"/"): // the agent opens every kind of store
		case strings.HasPrefix(dep, "pipec.dev/pipec/"):
			seen++
			if !ours[dep] {
				t.Errorf("the agent imports %s", dep)
			}
		}
		for _, not := range []string{
			"github.com/hashicorp/hcl/v2/gohcl", "github.com/hashicorp/hcl/v2/hclwrite", "github.com/hashicorp/hcl/v2/hclparse",
			"github.com/spf13/cobra", "k8s.io/client-go/kubernetes", "k8s.io/client-go/tools/leaderelection", "k8s.io/client-go/dynamic",
			"k8s.io/client-go/tools/clientcmd/", "go.yaml.in/yaml/v3", "github.com/goccy/go-yaml", // apimachinery brings yaml/v2
		} {
			if strings.HasPrefix(dep, not) && dep != "k8s.io/client-go/tools/clientcmd/api" {
				t.Errorf("the agent imports %s", dep)
			}
		}
	}
	if seen != len(ours) {
		t.Errorf("%d packages of pipec are imported, and %d are listed here", seen, len(ours))
	}
}

// specFile writes a spec of a step that runs a script, with a store in its directory.
func specFile(t *testing.T, script string) (file, dir string) {
	t.Helper()
	dir = t.TempDir()
	return specWith(t, script, dir, program.Store{Kind: "local", Path: filepath.Join(dir, "store")}), dir
}

// specWith writes a spec of a step that runs a script, with a store.
func specWith(t *testing.T, script, dir string, place program.Store) (file string) {
	t.Helper()
	spec := map[string]any{
		"version": 1, "run": "r", "pipeline": "p", "step": "s", "attempt": 1, "user_attempt": 1, "segments": true,
		"program": map[string]any{
			"name": "s", "retry": map[string]any{"attempts": 1, "infrastructure": 0}, "grace": "1s",
			"command":    []any{map[string]any{"const": "sh"}, map[string]any{"const": "-c"}, map[string]any{"const": script}},
			"outputs":    []any{map[string]any{"name": "o", "type": "number"}},
			"secret_env": []any{map[string]any{"name": "TOKEN", "secret": "s", "key": "k"}},
		},
		"root": filepath.Join(dir, "work"), "attempt_dir": "attempts/ns/p/r/s/1",
		"store": place,
	}
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "spec.json")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestStep(t *testing.T) {
	t.Setenv("TOKEN", "geheimnis")
	for _, c := range []struct {
		script         string
		code           int
		stdout, reason string
		status         record.Status
	}{
		{`echo "hello $TOKEN"; echo 1 > $PIPEC_OUTPUT_o`, 0, "hello ***\n", "", record.Succeeded},
		{`echo bye; exit 5`, 5, "bye\n", record.ReasonError, record.Failed},
		{`true`, 1, "", record.ReasonOutputMissing, record.Failed},
		{`kill -KILL $$`, 1, "", record.ReasonSignal, record.Failed},
	} {
		file, dir := specFile(t, c.script)
		var stdout, stderr bytes.Buffer
		a := agent{stdout: &stdout, stderr: &stderr, lookup: os.LookupEnv, environ: os.Environ(), root: dir}
		message := filepath.Join(dir, terminationLog)
		if err := errors.Join(os.MkdirAll(filepath.Dir(message), 0o777), os.WriteFile(message, []byte("before"), 0o666)); err != nil {
			t.Fatal(err)
		}
		if code := a.run(context.Background(), []string{"step", "--spec", file}); code != c.code {
			t.Errorf("%s: exit status %d, %s", c.script, code, &stderr)
		}
		told, err := os.ReadFile(message)
		if err != nil {
			t.Fatal(err)
		}
		end, ok := step.ParseTermination(string(told))
		if !ok || end.Status != c.status || end.Result == "" || end.Reason != c.reason {
			t.Errorf("%s: the termination message is %s", c.script, told)
		}
		if stdout.String() != c.stdout || stderr.String() != "" {
			t.Errorf("%s: %q, %q", c.script, &stdout, &stderr)
		}
		st, err := store.OpenLocal(filepath.Join(dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := store.ReadJSON[record.Result](context.Background(), st, "attempts/ns/p/r/s/1/result.json")
		if err != nil || r.Status != c.status {
			t.Errorf("%s: %+v, %v", c.script, r, err)
		}
		if c.stdout != "" {
			if log, err := store.ReadAll(context.Background(), st, step.LogKey("attempts/ns/p/r/s/1", 0)); err != nil || string(log) != c.stdout {
				t.Errorf("%s: the log is %q, %v", c.script, log, err)
			}
		}
		_ = st.Close()
	}
}

// TestStoreOfTable: a step's store is opened by the table, with the attributes of its kind.
func TestStoreOfTable(t *testing.T) {
	place := program.Store{Kind: "mem", Path: "mem://x", Settings: map[string]string{"size": "1Gi"}}
	dir, size := t.TempDir(), ""
	var out bytes.Buffer
	t.Setenv("TOKEN", "geheimnis")
	a := agent{stdout: &out, stderr: &out, lookup: os.LookupEnv, environ: os.Environ(), root: dir}
	file := specWith(t, `echo 1 > $PIPEC_OUTPUT_o`, dir, place)
	if code := a.run(t.Context(), []string{"step", "--spec", file}); code != exitEnvironment || !strings.Contains(out.String(), `no artifact store of kind "mem"`) {
		t.Errorf("without a row: %d, %s", code, &out)
	}
	a.stores = append(stores.Builtin(), stores.Kind{Kind: "mem", Open: func(_ context.Context, s program.Store, _ stores.Options) (stores.Store, error) {
		size = s.Settings["size"]
		return store.OpenLocal(filepath.Join(dir, "store"))
	}})
	out.Reset()
	if code := a.run(t.Context(), []string{"step", "--spec", file}); code != 0 || size != "1Gi" {
		t.Errorf("%d, size %q, %s", code, size, &out)
	}
	st, err := store.OpenLocal(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if r, err := store.ReadJSON[record.Result](t.Context(), st, "attempts/ns/p/r/s/1/result.json"); err != nil || r.Status != record.Succeeded {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestUsage(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"version": 7, "store": {"kind": "local", "path": "`+t.TempDir()+`"}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		code   int
		output string
	}{
		{nil, exitUsage, "usage:"},
		{[]string{"fly"}, exitUsage, `unknown command "fly"`},
		{[]string{"step"}, exitUsage, "--spec FILE"},
		{[]string{"copy"}, exitUsage, "copy DIR"},
		{[]string{"copy", "/no/such/directory"}, exitEnvironment, "no such file"},
		{[]string{"coordinate", "x"}, exitUsage, "coordinate"},
		{[]string{"coordinate"}, 91, "is not set"},
		{[]string{"step", "--nothing"}, exitUsage, "nothing"},
		{[]string{"step", "--spec", "/no/such"}, exitEnvironment, "no such file"},
		{[]string{"step", "--spec", bad}, exitEnvironment, "version 7"},
		{[]string{"version"}, 0, "pipec-agent "},
		{[]string{"--help"}, 0, "pipec-agent step"},
	} {
		var out bytes.Buffer
		a := agent{stdout: &out, stderr: &out, lookup: func(string) (string, bool) { return "", false }, root: t.TempDir()}
		if code := a.run(context.Background(), c.args); code != c.code || !strings.Contains(out.String(), c.output) {
			t.Errorf("%q: %d, %s", c.args, code, &out)
		}
	}
}
