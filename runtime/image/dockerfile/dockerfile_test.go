package dockerfile

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program is a docker, or a buildctl, that writes its arguments and its configuration to files, and reports a digest. The tests of the
// command run a real buildah; BuildKit and docker need a daemon.
const program = `#!/bin/sh
if [ "$2" = version ]; then echo github.com/docker/buildx v0.20.0; exit; fi
if [ "$2" = inspect ]; then exit; fi
for a in "$@"; do echo "$a"; done >"$OUT/args"
[ -z "$DOCKER_CONFIG" ] || { cat "$DOCKER_CONFIG/config.json" >"$OUT/config.json"; ls "$DOCKER_CONFIG" >"$OUT/entries"; }
while [ "$1" != --metadata-file ]; do shift; done
echo '{"containerimage.digest": "sha256:abc"}' >"$2"
echo building
`

// testTool makes a program, and returns the directory of what it writes.
func testTool(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	t.Setenv("OUT", dir)
	return dir
}

func anonymous(context.Context, string) (string, string, bool, error) { return "", "", false, nil }

func build(t *testing.T, r Request, credentials func(context.Context, string) (string, string, bool, error)) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "Dockerfile", "FROM ecr.example/base:1 AS x\nFROM --platform=linux/arm64 other.example/b\nCOPY --from=x /a /b\n")
	r.Dir, r.File = dir, filepath.Join(dir, "Dockerfile")
	b := &Builder{Getenv: os.Getenv, Credentials: credentials}
	digest, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestBuildctl(t *testing.T) {
	out := testTool(t, "buildctl")
	t.Setenv("BUILDKIT_HOST", "tcp://buildkit:1234")
	digest := build(t, Request{Ref: "registry.example/p/train:1", Platforms: []string{"linux/amd64", "linux/arm64"}, Args: map[string]string{"B": "2", "A": "a b"},
		Target: "x", Secrets: []string{"id=t,src=f"}, Fresh: true}, anonymous)
	if digest != "sha256:abc" {
		t.Errorf("digest: %s", digest)
	}
	args := written(t, out, "args")
	for _, want := range []string{
		"build\n--progress\nplain\n--frontend\ndockerfile.v0\n", "--opt\nfilename=Dockerfile\n", "--opt\nplatform=linux/amd64,linux/arm64\n",
		"--output\ntype=image,name=registry.example/p/train:1,push=true\n", "--opt\nbuild-arg:A=a b\n--opt\nbuild-arg:B=2\n", "--opt\ntarget=x\n",
		"--secret\nid=t,src=f\n", "--no-cache\n",
	} {
		if !strings.Contains(args, want) {
			t.Errorf("the arguments don't have %q:\n%s", want, args)
		}
	}
}

// TestBuildx builds by docker. Its configuration is that of the user, with the credentials of the registries of this build.
func TestBuildx(t *testing.T) {
	out := testTool(t, "docker")
	own := t.TempDir()
	write(t, own, "config.json", `{"credsStore": "desktop", "auths": {"ghcr.io": {}}, "currentContext": "remote"}`)
	write(t, own, "buildx/current", "{}")
	t.Setenv("DOCKER_CONFIG", own)
	t.Setenv("BUILDKIT_HOST", "")
	build(t, Request{Ref: "127.0.0.1:5000/p/train:1", Args: map[string]string{"A": "1"}}, func(_ context.Context, ref string) (string, string, bool, error) {
		switch {
		case strings.HasPrefix(ref, "ecr.example/"):
			return "AWS", "token", true, nil
		case strings.HasPrefix(ref, "other.example/"):
			return "", "", false, errors.New("no credentials")
		}
		return "", "", false, nil
	})
	args := written(t, out, "args")
	for _, want := range []string{
		"buildx\nbuild\n", "--platform\nlinux/amd64\n", "--output\ntype=image,name=127.0.0.1:5000/p/train:1,push=true,registry.insecure=true\n", "--build-arg\nA=1\n",
	} {
		if !strings.Contains(args, want) {
			t.Errorf("the arguments don't have %q:\n%s", want, args)
		}
	}
	if strings.Contains(args, "token") {
		t.Error("the arguments have the token")
	}
	var config struct {
		Auths          map[string]struct{ Auth string }
		CredHelpers    map[string]string
		CredsStore     string
		CurrentContext string
	}
	if err := json.Unmarshal([]byte(written(t, out, "config.json")), &config); err != nil {
		t.Fatal(err)
	}
	_, ghcr := config.Auths["ghcr.io"]
	helper, known := config.CredHelpers["ecr.example"]
	if config.Auths["ecr.example"].Auth != "QVdTOnRva2Vu" || !ghcr || !known || helper != "" || config.CredsStore != "desktop" || config.CurrentContext != "remote" {
		t.Errorf("configuration: %+v", config)
	}
	if entries := written(t, out, "entries"); !strings.Contains(entries, "buildx\n") {
		t.Errorf("the builders of the user are not there: %s", entries)
	}
	if now := written(t, own, "config.json"); strings.Contains(now, "QVdT") {
		t.Error("the user's own file has the token")
	}
}

// TestCredentialsOfTarget fails before the build if those of the registry can't be had.
func TestCredentialsOfTarget(t *testing.T) {
	out := testTool(t, "docker")
	t.Setenv("BUILDKIT_HOST", "")
	dir := t.TempDir()
	write(t, dir, "Dockerfile", "FROM scratch\n")
	b := &Builder{Getenv: os.Getenv, Credentials: func(context.Context, string) (string, string, bool, error) {
		return "", "", false, errors.New("the token has expired")
	}}
	_, err := b.Build(t.Context(), Request{Dir: dir, File: filepath.Join(dir, "Dockerfile"), Ref: "registry.example/x:1"})
	if err == nil || err.Error() != "the token has expired" {
		t.Errorf("error: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "args")); err == nil {
		t.Error("docker was called")
	}
}

func TestGenerated(t *testing.T) {
	text := Generated("debian@sha256:1", "app", []string{"git", "it's=1.0\n&& rm"})
	if !strings.HasPrefix(text, "FROM debian@sha256:1\nUSER 0\nRUN ") || !strings.HasSuffix(text, "\nUSER app\n") {
		t.Errorf("%s", text)
	}
	if !strings.Contains(text, `--no-install-recommends 'git' 'it'\''s=1.0 && rm' &&`) || strings.Count(text, "\n") != 4 {
		t.Errorf("%s", text)
	}
}

func written(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
