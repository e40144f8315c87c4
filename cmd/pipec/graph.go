package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/emit/graph"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/program"
)

const graphLong = `Draws pipelines: as text for the terminal, as DOT for Graphviz, as Mermaid for Markdown, or as SVG. Without names, all
pipelines of the project; SVG draws one pipeline.`

func graphCommand(c *cli) *cobra.Command {
	var format, out string
	cmd := &cobra.Command{
		Use:   "graph [PIPELINE]...",
		Short: "Draw pipelines as text, DOT, Mermaid or SVG",
		Long:  graphLong,
		Example: `  pipec graph
  pipec graph train --format svg -o train.svg`,
		ValidArgsFunction: c.completePipelines,
		RunE: func(_ *cobra.Command, args []string) error {
			return c.graph(args, format, out)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "one of "+strings.Join(graphFormats(), ", "))
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE`, instead of stdout")
	return cmd
}

func graphFormats() []string {
	var names []string
	for name := range graph.Formats {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c *cli) graph(args []string, format, out string) error {
	draw, ok := graph.Formats[format]
	if !ok {
		return usage("there is no format %q: one of %s", format, strings.Join(graphFormats(), ", "))
	}
	r, err := c.open().Checked()
	if err != nil {
		return err
	}
	programs := r.Programs
	if len(programs) == 0 {
		programs = r.Called // of a library
	}
	if len(args) > 0 {
		if programs, err = r.Pipelines(args); err != nil {
			return err
		}
	}
	if len(programs) != 1 && format == "svg" {
		return usage("SVG draws one pipeline, and these are %d: name one of %s", len(programs), strings.Join(r.Names(), ", "))
	}
	return c.drawAll(programs, draw, out)
}

func (c *cli) drawAll(programs []*program.Program, draw graph.Format, out string) error {
	w := c.stdout
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return fault.Env(err)
		}
		defer f.Close()
		w = f
	}
	for i, p := range programs {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return fault.Env(err)
			}
		}
		if err := draw(w, p); err != nil {
			return fault.Env(err)
		}
	}
	return nil
}
