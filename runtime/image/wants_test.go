package image

import (
	"strings"
	"testing"

	"pipec.dev/pipec/schema/program"
)

// TestListOfLibraries: files of a library are looked up and built in the library's directory.
func TestListOfLibraries(t *testing.T) {
	p := &program.Program{
		Pipeline: "p",
		Codes:    []program.Code{{Name: "l.src", Dir: "code", Root: "../lib"}, {Name: "src", Dir: "."}},
		Images: []program.Image{
			{Name: "own", Dockerfile: "docker/Dockerfile"},
			{Name: "l.own", Dockerfile: "docker/Dockerfile", Root: "../my lib"},
		},
		Steps: []program.Step{{Name: "a", Image: "image.own", Code: "src"}, {Name: "b", Image: "image.l.own", Code: "l.src"}},
	}
	stack := &program.Stack{Name: "k8s", Registry: &program.Registry{Kind: "generic", URI: "r.example/p"}}
	got := map[string]Want{}
	for _, w := range List([]*program.Program{p}, stack) {
		got[w.Kind+" "+w.Name] = w
	}
	if got["code l.src"].Dir != "../lib/code" || got["code src"].Dir != "." {
		t.Errorf("%+v", got)
	}
	if b := got["image own"].Build; !strings.HasPrefix(b, "docker build -f docker/Dockerfile -t r.example/p/own:") || !strings.Contains(b, " . && docker push ") {
		t.Error(b)
	}
	if b := got["image l.own"].Build; !strings.HasPrefix(b, "docker build -f '../my lib/docker/Dockerfile' -t r.example/p/l-own-") || !strings.Contains(b, " '../my lib' && docker push ") {
		t.Error(b)
	}
	if got["image own"].Ref == got["image l.own"].Ref {
		t.Error(got["image own"].Ref)
	}
}
