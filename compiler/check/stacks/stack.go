// Package stacks checks the `stack` blocks of a project: where runs execute, where artifacts are stored, and from which
// registry images come. Pipelines do not read stacks, so this package is independent of the rest of package check.
package stacks

import (
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// Local returns the stack of a project that declares none.
func Local() *program.Stack {
	return &program.Stack{
		Name:          "local",
		Orchestrator:  program.Orchestrator{Kind: "local"},
		ArtifactStore: program.Store{Kind: "local", Path: ".pipec/store"},
	}
}

// Check checks all stacks of a project, and returns them sorted by name.
func Check(w *evaluate.Project) []*program.Stack {
	c := &checker{project: w}
	var out []*program.Stack
	for _, name := range evaluate.Names(w.Stacks) {
		out = append(out, c.stack(w.Stacks[name]))
	}
	return out
}

// checker checks the stacks of a project.
type checker struct{ project *evaluate.Project }

func (c *checker) stack(b *decode.Block) *program.Stack {
	s := &program.Stack{Name: b.Label}
	s.SecretsFile, _ = c.project.String(b, "secrets_file")
	if o := b.One("orchestrator"); o != nil {
		c.orchestrator(s, o)
	} else if !b.Tried("orchestrator") {
		c.project.Diags.Add(diag.New("missing", b.DefRange, "%s has no orchestrator", attribute.Describe(b)).
			WithSuggestion(`write orchestrator "local" {} or orchestrator "kubernetes" { … }`))
	}
	if a := b.One("artifact_store"); a != nil {
		c.store(s, a)
	} else if s.Orchestrator.Kind == "local" {
		s.ArtifactStore = Local().ArtifactStore
	} else if s.Orchestrator.Kind == "kubernetes" && !b.Tried("artifact_store") {
		c.project.Diags.Add(diag.New("missing", b.DefRange, "%s has no artifact_store", attribute.Describe(b)).
			WithSuggestion(`write artifact_store "s3" { path = "s3://BUCKET/PREFIX" }`))
	}
	if r := b.One("container_registry"); r != nil {
		uri, ok := c.project.String(r, "uri")
		if ok && (uri == "" || strings.Contains(uri, "://") || strings.ContainsAny(uri, " \t")) {
			c.project.Diags.Add(diag.New("invalid-value", r.Attr("uri").Range(), "%q is not a valid registry address: expected HOST or HOST/PREFIX, without a scheme", uri))
		}
		s.Registry = &program.Registry{Kind: r.Label, URI: uri}
	}
	return s
}

func (c *checker) orchestrator(s *program.Stack, b *decode.Block) {
	w := c.project
	o := &s.Orchestrator
	o.Kind = b.Label
	o.Parallel, _ = w.Int(b, "parallel", 0)
	o.Python, _ = w.String(b, "python")
	o.Context, _ = w.String(b, "context")
	o.EKSCluster, _ = w.String(b, "eks_cluster")
	o.InCluster, _ = w.Bool(b, "in_cluster")
	o.Synchronous, _ = w.Bool(b, "synchronous")
	o.Namespace = attribute.ObjectName(c.project, b, "namespace", validation.IsDNS1123Label)
	if o.Kind == "kubernetes" {
		if o.Namespace == "" {
			o.Namespace = "default"
		}
		c.cluster(o, b)
	}
	var ways []string
	for _, name := range []string{"context", "eks_cluster"} {
		if text, _ := w.String(b, name); text != "" {
			ways = append(ways, name)
		}
	}
	if o.InCluster {
		ways = append(ways, "in_cluster")
	}
	if len(ways) > 1 {
		c.project.Diags.Add(diag.New("duplicate", b.Attrs[ways[1]].NameRange, "a stack names its cluster once: set %s, not both", strings.Join(ways, " or ")))
	}
}

func (c *checker) store(s *program.Stack, b *decode.Block) {
	s.ArtifactStore.Kind = b.Label
	if b.Label == "s3" {
		c.s3(&s.ArtifactStore, b)
	}
	path, ok := c.project.String(b, "path")
	if !ok {
		return
	}
	s.ArtifactStore.Path = path
	at := b.Attr("path").Range()
	switch rest, isS3 := strings.CutPrefix(path, "s3://"); {
	case b.Label == "s3" && (!isS3 || strings.SplitN(rest, "/", 2)[0] == ""):
		c.project.Diags.Add(diag.New("invalid-value", at, "%q is not a valid S3 URI", path).WithSuggestion("write s3://BUCKET/PREFIX"))
	case b.Label == "local" && (path == "" || strings.Contains(path, "://")):
		c.project.Diags.Add(diag.New("invalid-value", at, "%q is not a valid directory", path))
	case b.Label == "local":
		s.ArtifactStore.Path = filepath.ToSlash(filepath.Clean(path))
	}
	if s.Orchestrator.Kind == "kubernetes" && b.Label == "local" {
		c.project.Diags.Add(diag.New("invalid-value", b.LabelRange, "pods can't access a directory of this machine").
			WithSuggestion(`write artifact_store "s3" { path = "s3://BUCKET/PREFIX" }`))
	}
}
