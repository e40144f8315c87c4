package build_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	fake "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"pipec.dev/pipec/runtime/image/build"
	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/runtime/image/wheel/wheeltest"
	"pipec.dev/pipec/schema/program"
)

// place is a registry with a base, and a project with wheels.
type place struct {
	dir, host string
	mu        sync.Mutex
	uploads   []string        // finished uploads of blobs, and mounts
	blobs     map[string]bool // REPOSITORY DIGEST
	fail      func(*http.Request) bool
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{dir: t.TempDir(), blobs: map[string]bool{}}
	good := fake.New(fake.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.handle(w, r) {
			good.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	p.host = strings.TrimPrefix(s.URL, "http://")
	p.push(t, "base:1", map[string]v1.Image{"linux/amd64": baseImage(t, "amd64")})
	p.push(t, "many:1", map[string]v1.Image{"linux/amd64": baseImage(t, "amd64"), "linux/arm64": baseImage(t, "arm64")})
	return p
}

// handle makes the registry keep the blobs of each repository apart, as real ones do. It reports whether it has answered.
func (p *place) handle(w http.ResponseWriter, r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil && p.fail(r) {
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	repository, blob, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/blobs/")
	if !ok {
		return false
	}
	q := r.URL.Query()
	switch mount := q.Get("mount"); {
	case r.Method == http.MethodHead && !p.blobs[repository+" "+blob]:
		w.WriteHeader(http.StatusNotFound)
		return true
	case r.Method == http.MethodPost && mount != "" && p.blobs[q.Get("from")+" "+mount]:
		p.uploads = append(p.uploads, "mount "+mount)
		p.blobs[repository+" "+mount] = true
		w.WriteHeader(http.StatusCreated)
		return true
	case r.Method == http.MethodPut && q.Get("digest") != "":
		p.uploads = append(p.uploads, "upload "+q.Get("digest"))
		p.blobs[repository+" "+q.Get("digest")] = true
	}
	return false
}

// took returns the uploads since the last call.
func (p *place) took() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.uploads
	p.uploads = nil
	return out
}

func baseImage(t *testing.T, arch string) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct{ name, link, content string }{
		{"usr/local/bin/python3", "python3.11", ""}, {"usr/local/bin/python3.11", "", "ELF " + arch}, {"usr/local/lib/python3.11/os.py", "", "x"},
		{"usr/lib/libc.so.6", "", "GNU C Library (GNU libc) stable release version 2.36.\n"},
	} {
		h := &tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(f.content))}
		if f.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		}
		if err := errors.Join(w.WriteHeader(h), second(w.Write([]byte(f.content)))); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	config, _ := image.ConfigFile()
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Env = []string{"PATH=/usr/local/bin:/bin", "PYTHON_VERSION=3.11.7", "LANG=C"}
	config.Config.User = "1000"
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return image
}

func second(_ int, err error) error { return err }

func (p *place) push(t *testing.T, ref string, images map[string]v1.Image) {
	t.Helper()
	to, err := name.ParseReference(p.host + "/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	var what remote.Taggable
	var all v1.ImageIndex = empty.Index
	for _, platform := range slices.Sorted(maps.Keys(images)) {
		parsed, _ := v1.ParsePlatform(platform)
		what = images[platform]
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: images[platform], Descriptor: v1.Descriptor{Platform: parsed}})
	}
	if len(images) > 1 {
		what = all
	}
	if err := remote.Push(to, what); err != nil {
		t.Fatal(err)
	}
	p.took()
}

// wheels writes wheels into a directory of the project.
func (p *place) wheels(t *testing.T, specs ...wheeltest.Wheel) {
	t.Helper()
	if err := os.MkdirAll(p.dir+"/wheels", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, w := range specs {
		if err := os.WriteFile(filepath.Join(p.dir, "wheels", w.Filename()), w.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lock writes a requirements file whose hashes are those of the wheels.
func (p *place) lock(t *testing.T, specs ...wheeltest.Wheel) {
	t.Helper()
	var text strings.Builder
	for _, w := range specs {
		fmt.Fprintf(&text, "%s==%s --hash=sha256:%s\n", w.Name, w.Version, hash(w.Bytes()))
	}
	if err := os.WriteFile(filepath.Join(p.dir, "requirements.txt"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p *place) builder(t *testing.T) *build.Builder {
	t.Helper()
	client, err := registry.New(registry.Options{Backoff: &remote.Backoff{Steps: 1}})
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	downloads, err := index.New(index.Options{Dir: p.dir, Cache: cache, Pause: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	return &build.Builder{Dir: p.dir, Cache: cache, Registry: client, Index: downloads, Getenv: func(string) string { return "" }}
}

func (p *place) block() *program.Image {
	return &program.Image{Name: "train", Base: p.host + "/base:1", Lock: "requirements.txt", IndexURL: "none", FindLinks: []string{"wheels"}}
}

// big returns a wheel of more than 8 MB.
func big(version string) wheeltest.Wheel {
	r := rand.New(rand.NewPCG(1, uint64(len(version))))
	data := make([]byte, 9<<20)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return wheeltest.Wheel{Name: "big", Version: version, Tag: "cp311-cp311-manylinux_2_17_x86_64", Files: map[string]string{"big/core.so": string(data)}}
}

func small(version string) wheeltest.Wheel {
	return wheeltest.Wheel{Name: "small", Version: version, Files: map[string]string{"small/__init__.py": "v = '" + version + "'\n"}}
}

func do(t *testing.T, b *build.Builder, block *program.Image, lock *program.Lock, ref string, up build.Upgrade) (*build.Plan, *build.Built) {
	t.Helper()
	plan, err := b.Resolve(t.Context(), block, lock, up)
	if err != nil {
		t.Fatal(err)
	}
	built, err := b.Build(t.Context(), plan, ref)
	if err == nil {
		err = b.Push(t.Context(), built, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return plan, built
}

func TestBuild(t *testing.T) {
	p := newPlace(t)
	specs := []wheeltest.Wheel{big("1.0"), small("1.0")}
	p.wheels(t, append(specs, small("1.1"))...)
	p.lock(t, specs...)
	lock := &program.Lock{}
	b := p.builder(t)
	plan, built := do(t, b, p.block(), lock, p.host+"/project/train:x", build.Upgrade{})
	if got := p.took(); len(got) != 4 { // 2 layers, the base's layer (mounted), the config
		t.Errorf("%v", got)
	}
	plan.Write(lock)
	if len(lock.Packages) != 2 || lock.Packages["train/linux/amd64/small"].URL != "wheels/small-1.0-py3-none-any.whl" || !strings.HasPrefix(lock.Builds["train"].Base, p.host+"/base:1@sha256:") {
		t.Errorf("%+v", lock)
	}
	image := pull(t, p.host+"/project/train:x")
	digest, _ := image.Digest()
	config, err := image.ConfigFile()
	if err != nil || digest.String() != built.Image.Digest || built.Image.User != "1000" || !slices.Equal(built.Image.Platforms, []string{"linux/amd64"}) {
		t.Errorf("%v %+v, %v", digest, built.Image, err)
	}
	if want := []string{"PYTHON_VERSION=3.11.7", "LANG=C", "PATH=/opt/venv/bin:/usr/local/bin:/bin", "VIRTUAL_ENV=/opt/venv"}; !slices.Equal(config.Config.Env, want) {
		t.Errorf("%v", config.Config.Env)
	}
	files := extract(t, image)
	if files["opt/venv/lib/python3.11/site-packages/small/__init__.py"] != "v = '1.0'\n" || files["opt/venv/bin/python"] != "/usr/local/bin/python3.11" || len(files["opt/venv/lib/python3.11/site-packages/big/core.so"]) != 9<<20 {
		t.Errorf("%v", slices.Sorted(maps.Keys(files)))
	}

	// Another machine makes the same image from the lock, and uploads nothing.
	_, again := do(t, p.builder(t), p.block(), lock, p.host+"/project/train:x", build.Upgrade{})
	if got := p.took(); again.Image.Digest != built.Image.Digest || len(got) > 0 {
		t.Errorf("%s, %v", again.Image.Digest, got)
	}

	// A change of the small package uploads the last layer and the config.
	specs[1] = small("1.1")
	p.lock(t, specs...)
	next, changed := do(t, b, p.block(), lock, p.host+"/project/train:x", build.Upgrade{})
	if got := p.took(); changed.Image.Digest == built.Image.Digest || len(got) != 2 {
		t.Errorf("%v", got)
	}
	if got := build.Changes(plan, next); !slices.Equal(got, []string{"small 1.0 → 1.1"}) {
		t.Errorf("%v", got)
	}

	// Another repository of the registry mounts the layers.
	do(t, b, p.block(), lock, p.host+"/other/train:x", build.Upgrade{})
	mounts := 0
	for _, u := range p.took() {
		if strings.HasPrefix(u, "mount ") {
			mounts++
		}
	}
	if mounts != 3 {
		t.Errorf("%d mounts", mounts)
	}
}

func TestPlatforms(t *testing.T) {
	p := newPlace(t)
	amd := big("1.0")
	arm := wheeltest.Wheel{Name: "big", Version: "1.0", Tag: "cp311-cp311-manylinux_2_17_aarch64", Files: map[string]string{"big/core.so": "arm"}}
	p.wheels(t, amd, arm, small("1.0"))
	text := fmt.Sprintf("big==1.0 --hash=sha256:%s --hash=sha256:%s\nsmall==1.0 ; platform_machine == 'aarch64' --hash=sha256:%s\n", hash(amd.Bytes()), hash(arm.Bytes()), hash(small("1.0").Bytes()))
	if err := os.WriteFile(p.dir+"/requirements.txt", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	block := p.block()
	block.Base, block.Platforms = p.host+"/many:1", []string{"linux/amd64", "linux/arm64"}
	lock := &program.Lock{}
	plan, built := do(t, p.builder(t), block, lock, p.host+"/project/train:x", build.Upgrade{})
	plan.Write(lock)
	if got := slices.Sorted(maps.Keys(lock.Packages)); !slices.Equal(got, []string{"train/linux/amd64/big", "train/linux/arm64/big", "train/linux/arm64/small"}) {
		t.Errorf("%v", got)
	}
	if !slices.Equal(built.Image.Platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("%+v", built.Image)
	}
	client, _ := registry.New(registry.Options{})
	found, err := client.Resolve(t.Context(), p.host+"/project/train:x")
	if err != nil || found.Digest != built.Image.Digest || len(found.Platforms) != 2 {
		t.Errorf("%+v, %v", found, err)
	}
	block.Platforms = []string{"linux/s390x"}
	if _, err := p.builder(t).Resolve(t.Context(), block, lock, build.Upgrade{}); err == nil || !strings.Contains(err.Error(), "is not for the platform linux/s390x: it has linux/amd64, linux/arm64") {
		t.Error(err)
	}
}

// TestInterrupted: a push that fails in the middle, or is cancelled, continues with what is left.
func TestInterrupted(t *testing.T) {
	p := newPlace(t)
	specs := []wheeltest.Wheel{big("1.0"), small("1.0")}
	p.wheels(t, specs...)
	p.lock(t, specs...)
	b := p.builder(t)
	plan, err := b.Resolve(t.Context(), p.block(), &program.Lock{}, build.Upgrade{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	if _, err := b.Build(ctx, plan, p.host+"/project/train:x"); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Error(err)
	}
	built, err := b.Build(t.Context(), plan, p.host+"/project/train:x")
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.fail = func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/")
	}
	p.mu.Unlock()
	if err := b.Push(t.Context(), built, nil); err == nil {
		t.Error("the push succeeded")
	}
	p.took()
	p.mu.Lock()
	p.fail = nil
	p.mu.Unlock()
	if err := b.Push(t.Context(), built, nil); err != nil {
		t.Error(err)
	}
	if got := p.took(); len(got) > 0 {
		t.Errorf("uploaded again: %v", got)
	}
	left, _ := filepath.Glob(b.Cache + "/layers/.new-*")
	if len(left) > 0 {
		t.Errorf("%v", left)
	}
}

func TestBaseWithoutPython(t *testing.T) {
	p := newPlace(t)
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	p.push(t, "scratch:1", map[string]v1.Image{"linux/amd64": image})
	p.lock(t)
	block := p.block()
	block.Base = p.host + "/scratch:1"
	if _, err := p.builder(t).Resolve(t.Context(), block, &program.Lock{}, build.Upgrade{}); err == nil || !strings.Contains(err.Error(), "has no python3 on its PATH") {
		t.Error(err)
	}
}
