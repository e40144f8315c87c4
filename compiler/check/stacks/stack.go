// Package stacks checks the `stack` blocks of a project: where runs execute, where artifacts are stored, and from which
// registry images come. Pipelines do not read stacks, so this package is independent of the rest of package check. It knows
// no kind of orchestrator or store itself: the rows of schema/kinds do.
package stacks

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/check/pods"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Check checks all stacks of a project against the kinds of a set. They are sorted by name. outputs are those of recipes that
// have been made; nil: none.
func Check(w *evaluate.Project, set *kinds.Set, outputs Outputs) []*program.Stack {
	c := &checker{project: w, kinds: set, outputs: outputs}
	var out []*program.Stack
	for _, name := range evaluate.Names(w.Stacks) {
		out = append(out, c.stack(w.Stacks[name]))
	}
	return out
}

// checker checks stacks by their rows in the table of kinds. It knows no kind itself.
type checker struct {
	project *evaluate.Project
	kinds   *kinds.Set
	outputs Outputs
}

func (c *checker) stack(b *decode.Block) *program.Stack {
	s := &program.Stack{Name: b.Label}
	s.SecretsFile = c.path(b, "secrets_file")
	r := c.recipe(b)
	defer c.project.Scope.WithRecipe(r.scope())()
	defer c.complete(r, s)
	r.reader = "orchestrator"
	if o := b.One("orchestrator"); o != nil {
		c.orchestrator(&s.Orchestrator, o)
	} else if !b.Tried("orchestrator") {
		c.project.Diags.Add(diag.New("missing", b.DefRange, "%s has no orchestrator", attribute.Describe(b)).
			WithSuggestion("write %s", c.kinds.OrchestratorForms()))
	}
	row := c.kinds.Orchestrator(s.Orchestrator.Kind) // nil where the kind is missing or unknown
	r.reader = "artifact_store"
	switch a := b.One("artifact_store"); {
	case a != nil:
		c.store(&s.ArtifactStore, row, a)
	case row == nil:
	case row.DefaultStore != nil:
		s.ArtifactStore = *row.DefaultStore
	case !b.Tried("artifact_store"):
		c.project.Diags.Add(diag.New("missing", b.DefRange, "%s has no artifact_store", attribute.Describe(b)).
			WithSuggestion("write %s", c.kinds.SharedStoreForm()))
	}
	r.reader = "container_registry"
	if n := b.One("container_registry"); n != nil {
		uri, ok := c.project.Attributes.String(n, "uri")
		if ok && (uri == "" || strings.Contains(uri, "://") || strings.ContainsAny(uri, " \t")) {
			c.project.Diags.Add(diag.New("invalid-value", n.Attr("uri").Range(), "%q is not a valid registry address: expected HOST or HOST/PREFIX, without a scheme", uri))
		}
		s.Registry = &program.Registry{Kind: n.Label, URI: uri}
	}
	return s
}

func (c *checker) orchestrator(o *program.Orchestrator, b *decode.Block) {
	o.Kind = b.Label
	row := c.kinds.Orchestrator(b.Label)
	if row == nil {
		return // package decode has reported the kind
	}
	if row.Pods {
		pods.Stack(c.project, o, b)
	}
	values := c.values(b, row.Attributes)
	if row.Read == nil {
		o.Settings = values.Keep()
		return
	}
	c.report(b, row.Read(values, o))
}

// store checks an artifact store. orchestrator is the stack's; it may be nil.
func (c *checker) store(s *program.Store, orchestrator *kinds.Orchestrator, b *decode.Block) {
	s.Kind = b.Label
	row := c.kinds.Store(b.Label)
	if row == nil {
		s.Path = c.path(b, "path")
		return
	}
	values := c.values(b, row.Attributes)
	if row.Read == nil {
		s.Settings = values.Keep()
	} else {
		c.report(b, row.Read(values, s))
	}
	path, ok := c.project.Attributes.String(b, "path")
	if !ok {
		return
	}
	if row.Scheme == "" {
		path = c.path(b, "path")
	}
	canonical, fault := row.CheckPath(path)
	if s.Path = canonical; fault != nil {
		fault.Attribute = "path"
		c.report(b, []kinds.Fault{*fault})
	}
	if orchestrator != nil && orchestrator.SharedStore && row.Private != "" {
		c.project.Diags.Add(diag.New("invalid-value", b.LabelRange, "%s can't access %s", orchestrator.Steps(), row.Private).
			WithSuggestion("write %s", c.kinds.SharedStoreForm()))
	}
}

// path returns an attribute that is a path of this machine, which need not exist, as the file system writes it.
func (c *checker) path(b *decode.Block, name string) string {
	text, ok := c.project.Attributes.String(b, name)
	if !ok {
		return ""
	}
	found, err := evaluate.Lookup(c.project.Dir, text)
	if err != nil {
		c.project.Diags.Add(diag.New("file-access", b.Attr(name).Range(), "%v", err))
	}
	return found
}

// values evaluates the attributes of a block that are set. What can't be evaluated is reported, and left out.
func (c *checker) values(b *decode.Block, attributes []kinds.Attribute) kinds.Values {
	out := kinds.Values{}
	set := func(name string, value any, ok bool) {
		if ok {
			out[name] = value
		}
	}
	for i := range attributes {
		switch a := &attributes[i]; {
		case a.Format == "duration":
			v, ok := c.project.Attributes.Duration(b, a.Name)
			set(a.Name, v, ok)
		case a.Type == "number":
			v, ok := c.project.Attributes.Int(b, a.Name, 0)
			set(a.Name, v, ok)
		case a.Type == "bool":
			v, ok := c.project.Attributes.Bool(b, a.Name)
			set(a.Name, v, ok)
		case a.Type == "list(string)":
			if v, ok := c.project.Attributes.Get(b, a.Name, cty.List(cty.String)); ok {
				out[a.Name] = texts(v)
			}
		case a.Type == "map(string)":
			if b.Attr(a.Name) != nil {
				out[a.Name] = c.project.Attributes.StringMap(b, a.Name)
			}
		default:
			v, ok := c.project.Attributes.String(b, a.Name)
			if ok && a.Format == "path" {
				v = c.path(b, a.Name)
			}
			set(a.Name, v, ok)
		}
	}
	return out
}

// texts returns the elements of a list of strings.
func texts(list cty.Value) []string {
	out := []string{}
	for _, v := range list.AsValueSlice() {
		out = append(out, v.AsString())
	}
	return out
}

// report adds what a row found wrong with the attributes of a block.
func (c *checker) report(b *decode.Block, faults []kinds.Fault) {
	for _, f := range faults {
		code := f.Code
		if code == "" {
			code = "invalid-value"
		}
		at := b.DefRange
		if a := b.Attrs[f.Attribute]; a != nil {
			if at = a.Expr.Range(); f.AtName {
				at = a.NameRange
			}
		}
		d := diag.New(code, at, "%s", f.Text)
		if f.Detail != "" {
			d = d.WithDetail("%s", f.Detail)
		}
		if a := b.Attrs[f.See]; a != nil {
			d = d.WithRelated(a.Expr.Range(), "%s", f.SeeText)
		}
		if f.Suggestion != "" {
			d = d.WithSuggestion("%s", f.Suggestion)
		}
		c.project.Diags.Add(d)
	}
}
