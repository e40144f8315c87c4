package image

import (
	"archive/tar"
	"io"
	"runtime"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

func TestBuild(t *testing.T) {
	files := []file{
		{"bin/", 0o755, nil, ""}, {"tmp/", 0o1777, nil, ""}, {"bin/busybox", 0o755, []byte("program"), ""}, {"bin/sh", 0o777, nil, "busybox"},
	}
	img, err := build(files, v1.Config{User: "app", Cmd: []string{"sh"}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := build(files, v1.Config{User: "app", Cmd: []string{"sh"}})
	if err != nil {
		t.Fatal(err)
	}
	one, err := img.Digest()
	if two, err2 := again.Digest(); err != nil || err2 != nil || one != two {
		t.Errorf("the same files make %s and %s (%v, %v)", one, two, err, err2)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != runtime.GOARCH || config.Config.User != "app" || !slices.Equal(config.Config.Cmd, []string{"sh"}) {
		t.Errorf("config %+v", config)
	}
	flat := mutate.Extract(img)
	defer flat.Close()
	var got []file
	for r := tar.NewReader(flat); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		data, err2 := io.ReadAll(r)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if h.Typeflag == tar.TypeDir { // Extract takes the slash away
			h.Name += "/"
		}
		got = append(got, file{h.Name, h.Mode, data, h.Linkname})
	}
	if !slices.EqualFunc(got, files, func(a, b file) bool {
		return a.path == b.path && a.mode == b.mode && a.link == b.link && string(a.data) == string(b.data)
	}) {
		t.Errorf("the image has %v, want %v", got, files)
	}
}
