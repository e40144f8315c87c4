package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/emit/graph"
	"pipec.dev/pipec/schema/program"
)

const graphLong = `Draws pipelines: as text for the terminal, as DOT for Graphviz, as Mermaid for Markdown, or as SVG.
Without a name, all pipelines of the project; SVG takes one.`

func (a *app) graphCommand() *cobra.Command {
	var format, out string
	cmd := &cobra.Command{
		Use:               "graph [PIPELINE]...",
		Short:             "Draw pipelines: text, dot, mermaid, svg",
		Long:              graphLong,
		ValidArgsFunction: a.completePipelines,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.graph(args, format, out)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "one of "+strings.Join(graphFormats(), ", "))
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE` instead of stdout")
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

func (a *app) graph(args []string, format, out string) error {
	draw, ok := graph.Formats[format]
	if !ok {
		return usage("there is no format %q: one of %s", format, strings.Join(graphFormats(), ", "))
	}
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	programs := r.Programs
	if len(programs) == 0 {
		programs = r.Called // of a library
	}
	if len(args) > 0 {
		programs = nil
		for _, name := range args {
			p, err := thePipeline(r, []string{name})
			if err != nil {
				return err
			}
			programs = append(programs, p)
		}
	}
	if len(programs) != 1 && format == "svg" {
		return usage("SVG draws one pipeline, and there are %d: name one of %s", len(programs), strings.Join(pipelineNames(r), ", "))
	}
	return a.drawAll(programs, draw, out)
}

func (a *app) drawAll(programs []*program.Program, draw graph.Format, out string) error {
	w := a.stdout
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return world(err)
		}
		defer f.Close()
		w = f
	}
	for i, p := range programs {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return world(err)
			}
		}
		if err := draw(w, p); err != nil {
			return world(err)
		}
	}
	return nil
}

// completePipelines completes the names of the project's pipelines.
func (a *app) completePipelines(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	r, err := a.compile(a.dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return pipelineNames(r), cobra.ShellCompDirectiveNoFileComp
}
