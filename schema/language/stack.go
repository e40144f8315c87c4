package language

import (
	"strings"

	"pipec.dev/pipec/schema/kinds"
)

// stack returns the `stack` block, with the kinds of the set.
func stack(set *kinds.Set) *Block {
	return &Block{Name: "stack", Label: "name",
		Doc: "Where pipelines run, and where artifacts and images live. Of its attributes, `\"\"` is as if left out: a variable may fill in what one cluster needs and another does not. It is chosen by `--stack`, `PIPEC_STACK` or `pipec stack use`; the only one needs no choosing. Without any, a local one is implied.",
		Attributes: []*Attribute{
			attr("secrets_file", Const, "string", "A file of `SECRET_KEY=value` lines for `secret_env` on the local orchestrator.").format("path"),
		},
		Blocks: []*Block{
			orchestrator(set.Orchestrators),
			artifactStore(set.Stores),
			recipe(set.Recipes),
			{Name: "container_registry", Label: "kind", Labels: []string{"ecr", "generic"}, Single: true,
				Doc: "Where images are kept.",
				Attributes: []*Attribute{
					attr("uri", Const, "string", "The registry's host, and a prefix.").required(),
				}},
		}}
}

func orchestrator(rows []*kinds.Orchestrator) *Block {
	b := &Block{Name: "orchestrator", Label: "kind", Single: true}
	var docs, withPods []string
	for _, row := range rows {
		b.Labels = append(b.Labels, row.Kind)
		if row.Pods {
			withPods = append(withPods, row.Kind)
		}
		docs = append(docs, "`"+row.Kind+"`, "+row.Doc)
		b.ofKind(row.Kind, row.Attributes)
	}
	b.Doc = "What runs the steps: " + strings.Join(docs, "; ") + "."
	onPods(b, withPods)
	return b
}

func artifactStore(rows []*kinds.Store) *Block {
	path := attr("path", Const, "string", "").required()
	b := &Block{Name: "artifact_store", Label: "kind", Single: true, Doc: "Where artifacts and records are kept.", Attributes: []*Attribute{path}}
	var docs []string
	for _, row := range rows {
		b.Labels = append(b.Labels, row.Kind)
		docs = append(docs, "`"+row.Kind+"`: "+row.PathDoc+".")
		b.ofKind(row.Kind, row.Attributes)
	}
	path.Doc = strings.Join(docs, " ")
	return b
}

func recipe(rows []*kinds.Recipe) *Block {
	b := &Block{Name: "recipe", Label: "kind", Single: true, Since: cluster}
	var docs []string
	for _, row := range rows {
		b.Labels = append(b.Labels, row.Kind)
		docs = append(docs, "`"+row.Kind+"`: "+row.Doc)
		for _, o := range row.Outputs {
			docs = append(docs, "`recipe."+o.Name+"` is "+o.Doc+".")
		}
		b.ofKind(row.Kind, row.Attributes)
	}
	b.Doc = "The infrastructure that `pipec stack up` makes for the stack, and `pipec stack down` removes. The other blocks of the stack read what was made. " + strings.Join(docs, " ")
	return b
}

// ofKind adds the attributes of one kind. One that another kind has too belongs to both.
func (b *Block) ofKind(kind string, attributes []kinds.Attribute) {
	for _, a := range attributes {
		if shared := b.Attribute(a.Name); shared != nil {
			shared.Only = append(shared.Only, kind)
			continue
		}
		b.Attributes = append(b.Attributes, &Attribute{
			Name: a.Name, Kind: Const, Type: a.Type, Only: []string{kind}, OneOf: a.OneOf, Format: a.Format, Default: a.Default, Doc: a.Doc, Since: a.Since,
			Required: a.Required,
		})
	}
}
