package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/schema/program"
)

func (a *app) stackCheckCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Try what runs on a stack will need",
		Long: `Tries what runs on a stack will need: that the artifact store can be written and read, and keeps what may be
written once; and, where a pipeline has python steps, which interpreter they get. Of a cluster: that it is reached, its version, the
namespace, and whether one has the rights that pipec asks for. Exit status 3 where something is amiss.`,
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
	found, err := a.findings(ctx, r)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(a.stdout)
	good := true
	for _, f := range found {
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

// findings are what is found out about the chosen stack, part by part.
func (a *app) findings(ctx context.Context, r *compiler.Result) ([]local.Finding, error) {
	stack, err := theStack(r)
	if err != nil {
		return nil, err
	}
	if stack.Orchestrator.Kind == "kubernetes" {
		return a.clusterFindings(ctx, stack), nil
	}
	lo, err := a.localOptions(r, nil)
	if err != nil {
		return nil, err
	}
	python := false
	for _, p := range r.Programs {
		for _, s := range p.Every() {
			python = python || s.Python != ""
		}
	}
	return local.Check(ctx, lo, python), nil
}

// clusterFindings are about the cluster, and the store as this machine sees it.
func (a *app) clusterFindings(ctx context.Context, stack *program.Stack) []local.Finding {
	var out []local.Finding
	c, err := connect.Open(ctx, stack.Orchestrator, a.env)
	if err != nil {
		out = append(out, local.Finding{Part: "cluster", Text: err.Error()})
	} else {
		for _, f := range cluster.Check(ctx, c, stack.Orchestrator.CreateNamespace) {
			out = append(out, local.Finding(f))
		}
	}
	return append(out, local.Check(ctx, local.Options{Project: a.dir, Stack: stack, Environ: a.env}, false)...)
}
