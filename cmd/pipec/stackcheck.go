package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/runtime/local"
)

func (a *app) stackCheckCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Try what runs on a stack will need",
		Long: `Tries what runs on a stack will need: that the artifact store can be written and read, and keeps what may be
written once; and, where a pipeline has python steps, which interpreter they get. Exit status 3 where something is amiss.`,
		Args:              atMost(1),
		ValidArgsFunction: a.completeStacks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				a.stack = args[0]
			}
			return a.stackCheck(cmd.Context(), output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func (a *app) stackCheck(ctx context.Context, output string) error {
	if err := textOrJSON(output); err != nil {
		return err
	}
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	lo, err := a.localOptions(r, nil)
	if err != nil {
		return err
	}
	python := false
	for _, p := range r.Programs {
		for _, s := range p.All() {
			python = python || s.Python != ""
		}
	}
	enc := json.NewEncoder(a.stdout)
	good := true
	for _, f := range local.Check(ctx, lo, python) {
		good = good && f.OK
		if output == "json" {
			if err := enc.Encode(f); err != nil {
				return world(err)
			}
			continue
		}
		mark := a.paint("32", "✓")
		if !f.OK {
			mark = a.paint("31", "✗")
		}
		if _, err := fmt.Fprintf(a.stdout, "%s %s: %s\n", mark, f.Part, f.Text); err != nil {
			return world(err)
		}
	}
	if !good {
		return said(exitWorld)
	}
	return nil
}
