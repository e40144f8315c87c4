package image

import (
	"maps"
	"path"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// Want is an item that must be pushed or pinned before a stack can run programs.
type Want struct {
	Kind string `json:"kind"`
	Name string `json:"name"`          // of the code or image block; else the reference
	Ref  string `json:"ref,omitempty"` // of an image
	Dir  string `json:"dir,omitempty"` // of a code, relative to the project
	// Built is set for an image that is built from its block.
	Built bool `json:"built,omitempty"`
	// Dockerfile and Build describe how to build it without pipec, unless it is the base with Python packages.
	Dockerfile string `json:"dockerfile,omitempty"`
	Build      string `json:"build,omitempty"`

	code       *program.Code
	block      *program.Image // of an image that is built
	foundation *Want          // the image that it is put on, if that is built as well
}

// List returns what programs on a stack need, without requests, each item once, sorted by kind and name. It leaves out
// what the compiler rejects (a step without an image, an image to be built without a registry).
func List(programs []*program.Program, stack *program.Stack) []Want {
	agent := Want{Kind: KindAgent, Name: kube.AgentRepository}
	if stack.Registry != nil {
		agent.Ref = kube.Repository(stack.Registry, kube.AgentRepository)
	}
	out := []Want{agent}
	seen := map[string]bool{}
	for _, p := range programs {
		for i := range p.Codes {
			c := &p.Codes[i]
			if key := KindCode + c.Name; !seen[key] {
				seen[key] = true
				out = append(out, Want{Kind: KindCode, Name: c.Name, Dir: path.Join(c.Root, c.Dir), code: c})
			}
		}
		var all []*program.Step
		for _, s := range p.Every() {
			all = append(all, s.Bodies()...)
		}
		for _, s := range all {
			ref, built := kube.ImageReference(p, stack.Registry, s.Image)
			if ref == "" || seen[KindImage+ref] {
				continue
			}
			seen[KindImage+ref] = true
			w := Want{Kind: KindImage, Name: ref, Ref: ref}
			if name, ok := strings.CutPrefix(s.Image, "image."); ok {
				w.Name = name
				if built {
					w.Built, w.block = true, blockOf(p, name)
					if w.block.Foundation() {
						w.Dockerfile, w.Build = recipe(w.block, ref)
					}
				}
			}
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b Want) int {
		return strings.Compare(a.Kind+"\x00"+a.Name+"\x00"+a.Ref, b.Kind+"\x00"+b.Name+"\x00"+b.Ref)
	})
	return out
}

// blockOf returns an image block.
func blockOf(p *program.Program, name string) *program.Image {
	return &p.Images[slices.IndexFunc(p.Images, func(block program.Image) bool { return block.Name == name })]
}

// recipe returns a Dockerfile for an image block, and the command that builds and pushes it. A block with its own Dockerfile needs only
// the command.
func recipe(block *program.Image, ref string) (dockerfile, build string) {
	if block.Dockerfile != "" {
		root := path.Join(block.Root, ".")
		build = "docker build -f " + shell.Word(path.Join(root, block.Dockerfile))
		for _, name := range slices.Sorted(maps.Keys(block.Args)) {
			build += " --build-arg " + shell.Word(name+"="+block.Args[name])
		}
		if block.Target != "" {
			build += " --target " + shell.Word(block.Target)
		}
		return "", build + " -t " + ref + " " + shell.Word(path.Join(root, block.Context)) + " && docker push " + ref
	}
	lines := []string{"FROM " + block.Base, "RUN apt-get update && apt-get install -y --no-install-recommends" + words(block.Packages) + " && rm -rf /var/lib/apt/lists/*"}
	if len(block.Requirements) > 0 {
		lines = append(lines, "RUN pip install --no-cache-dir"+words(block.Requirements))
	}
	return strings.Join(lines, "\n") + "\n", "docker build -t " + ref + " - < DOCKERFILE && docker push " + ref
}

func words(list []string) string {
	out := ""
	for _, s := range list {
		out += " " + shell.Word(s)
	}
	return out
}
