package main

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	fake "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"pipec.dev/pipec/runtime/image/build/buildtest"
	"pipec.dev/pipec/runtime/image/wheel/wheeltest"
)

// TestBuildScript runs testdata/build: scripts with a registry, REGISTRY, that has the image base:3.11, and a package index, INDEX, of
// the directory index. The command wheel writes a wheel there: wheel NAME VERSION [REQUIREMENT...]
func TestBuildScript(t *testing.T) {
	testscript.Run(t, buildScripts("build", "amd64"))
}

// buildScripts returns the scripts of a directory of testdata. The base is for linux/ARCH, and has further layers.
func buildScripts(dir, arch string, above ...v1.Layer) testscript.Params {
	p := scripts(filepath.Join("testdata", dir))
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		if err := setup(env); err != nil {
			return err
		}
		registry := httptest.NewServer(fake.New(fake.Logger(log.New(io.Discard, "", 0))))
		index := httptest.NewServer(buildtest.Index(filepath.Join(env.WorkDir, "index")))
		env.Defer(registry.Close)
		env.Defer(index.Close)
		host := strings.TrimPrefix(registry.URL, "http://")
		env.Setenv("REGISTRY", host)
		env.Setenv("INDEX", index.URL+"/simple")
		env.Setenv("PIPEC_CACHE_DIR", filepath.Join(env.WorkDir, ".cache"))
		env.Setenv("KUBECONFIG", "/dev/null")
		env.Setenv("BIN", filepath.SplitList(os.Getenv("PATH"))[0]) // has only pipec
		base, err := buildtest.Base(arch)
		if err != nil {
			return err
		}
		if base, err = mutate.AppendLayers(base, above...); err != nil {
			return err
		}
		to, err := name.ParseReference(host + "/base:3.11")
		if err != nil {
			return err
		}
		return remote.Write(to, base)
	}
	p.Cmds["wheel"] = writeWheel
	p.Cmds["template"] = fillIn
	return p
}

// writeWheel writes a wheel to the index.
func writeWheel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: wheel NAME VERSION [REQUIREMENT...]")
	}
	w := wheeltest.Wheel{Name: args[0], Version: args[1], Requires: args[2:], Files: map[string]string{args[0] + "/__init__.py": "v = '" + args[1] + "'\n"}}
	ts.Check(os.MkdirAll(ts.MkAbs("index"), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs("index/"+w.Filename()), w.Bytes(), 0o644))
}

// fillIn replaces $REGISTRY and $INDEX in a file: template FILE
func fillIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: template FILE")
	}
	text := ts.ReadFile(args[0])
	for _, name := range []string{"REGISTRY", "INDEX"} {
		text = strings.ReplaceAll(text, "$"+name, ts.Getenv(name))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
