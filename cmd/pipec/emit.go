package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/emit"
	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/kube/pod"
)

const emitLong = `Writes pipelines in the format of a target, to stdout or to files. Without names, all pipelines of the project are
written.

The target kubernetes writes Kubernetes objects as YAML, for kubectl or GitOps. A definition starts no runs unless it
has a schedule: its CronJob is suspended, and ` + "`kubectl create job --from=cronjob/NAME RUN`" + ` starts a run. With
--run, a run is written too, as a Job whose name depends on the program: applying it again changes nothing.

The command reads the project and pipec.lock.json, and queries no cluster and no registry. It lists on stderr what must
be pushed first.`

func emitCommand(c *cli) *cobra.Command {
	var dir string
	var r definitions.EmitRequest
	targets := c.tables.Targets.Supported()
	cmd := &cobra.Command{
		Use:   "emit [PIPELINE]...",
		Short: "Write pipelines in the format of a target, such as Kubernetes objects",
		Long:  emitLong,
		Example: `  pipec emit --stack prod > pipelines.yaml
  pipec emit train --stack prod --split deploy`,
		ValidArgsFunction: c.completePipelines,
		RunE: func(_ *cobra.Command, args []string) error {
			r.Pipelines = args
			return c.emit(r, dir)
		},
	}
	cmd.Flags().StringVar(&r.Target, "target", "", "the target: "+strings.Join(targets, ", ")+" (default: the target of the stack's orchestrator)")
	cmd.Flags().StringVar(&dir, "split", "", "write a file for each object to `DIR`, instead of stdout")
	cmd.Flags().BoolVar(&r.Run, "run", false, "write a run too")
	_ = cmd.RegisterFlagCompletionFunc("target", cobra.FixedCompletions(targets, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *cli) emit(r definitions.EmitRequest, dir string) error {
	e, err := c.open().Definitions().Emit(r)
	if err != nil {
		return err
	}
	if err := c.writeDocuments(e.Documents, dir); err != nil {
		return err
	}
	if e.AnyVersion { // apply, which queries the cluster, may write other manifests
		fmt.Fprintf(c.stderr, "The version of Kubernetes is not known, so the manifests are written for any version: set kubernetes_version in stack %q, or run `pipec push` where the cluster can be reached.\n", e.Stack.Name)
	}
	return printMissing(c.stderr, e.Missing)
}

// writeDocuments writes documents to stdout, or each to a file.
func (c *cli) writeDocuments(documents []emit.Document, dir string) error {
	if dir == "" {
		var all []byte
		for _, d := range documents {
			all = append(all, d.Data...)
		}
		_, err := c.stdout.Write(all)
		return fault.Env(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Env(err)
	}
	for _, d := range documents {
		if err := os.WriteFile(filepath.Join(dir, d.Name), d.Data, 0o644); err != nil {
			return fault.Env(err)
		}
	}
	_, err := fmt.Fprintf(c.stderr, "%s written to %s.\n", plural(len(documents), "object"), dir)
	return fault.Env(err)
}

// printMissing prints what must be pushed before a run.
func printMissing(w io.Writer, missing []pod.Missing) error {
	if len(missing) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s must be pushed before a run, with `pipec push`:\n", plural(len(missing), "object"))
	for _, m := range missing {
		what := map[pod.MissingKind]string{
			pod.MissingAgent: "the agent's image", pod.MissingCode: "code", pod.MissingImage: "the digest of image",
		}[m.Kind]
		if m.Built {
			what = "image"
		}
		fmt.Fprintf(&b, "  %s %s\n", what, m.Name)
	}
	_, err := io.WriteString(w, b.String())
	return fault.Env(err)
}
