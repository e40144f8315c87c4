package language

// defaults returns the block of what all steps of a pipeline have in common. Its attributes and blocks are those of a step.
func defaults() *Block {
	from := step("step", "")
	b := &Block{Name: "defaults", Single: true,
		Doc: "What all steps of the pipeline have, also those in `finally`. A step's own attributes take precedence. The maps `env`, `node_selector` and `extended` are merged by their keys, " +
			"and `resources` and `retry` by their attributes. A `volume` of a step replaces the one with the same name, and its `toleration` blocks are added. " +
			"A step that calls a pipeline takes the `image` alone, and an approval nothing."}
	for _, name := range []string{"image", "env", "timeout", "node_selector"} {
		b.Attributes = append(b.Attributes, from.Attribute(name))
	}
	for _, name := range []string{"retry", "resources", "toleration", "volume"} {
		b.Blocks = append(b.Blocks, from.Block(name))
	}
	return b
}
