package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/kube/pod"
)

const emitLong = `Writes pipelines as Kubernetes objects, for kubectl or GitOps: YAML on stdout, or files. Without names, all pipelines of
the project.

A definition starts no runs unless it has a schedule: its CronJob is suspended, and
` + "`kubectl create job --from=cronjob/NAME RUN`" + ` starts a run. With --run, a run is written too, as a Job whose name
depends on the program: applying it again changes nothing.

The command reads the project and pipec.lock.json, and queries no cluster and no registry. It lists on stderr what must
be pushed first.`

// targets are what pipelines can be written for; those that are false, not yet.
var targets = map[string]bool{"kubernetes": true, "argo": false, "kubeflow": false, "tekton": false}

func emitCommand(c *cli) *cobra.Command {
	var dir, target string
	var run bool
	cmd := &cobra.Command{
		Use:               "emit [PIPELINE]...",
		Short:             "Write pipelines as Kubernetes objects",
		Long:              emitLong,
		ValidArgsFunction: c.completePipelines,
		RunE: func(_ *cobra.Command, args []string) error {
			if works, known := targets[target]; !known {
				return usage("there is no target %q: one of kubernetes, argo, kubeflow, tekton", target)
			} else if !works {
				return usage("the target %s is not supported yet; this version writes kubernetes", target)
			}
			return c.emit(args, dir, run)
		},
	}
	cmd.Flags().StringVar(&target, "target", "kubernetes", "the target: kubernetes")
	cmd.Flags().StringVar(&dir, "split", "", "write a file for each object to `DIR`, instead of stdout")
	cmd.Flags().BoolVar(&run, "run", false, "write a run too")
	return cmd
}

func (c *cli) emit(pipelines []string, dir string, run bool) error {
	e, err := c.open().Definitions().Emit(pipelines, run)
	if err != nil {
		return err
	}
	if err := c.writeObjects(e.Objects, dir); err != nil {
		return err
	}
	if e.AnyVersion { // apply, which queries the cluster, may write other manifests
		fmt.Fprintf(c.stderr, "The version of Kubernetes is not known, so the manifests are written for any version: set kubernetes_version in stack %q, or run `pipec push` where the cluster can be reached.\n", e.Stack.Name)
	}
	return printMissing(c.stderr, e.Missing)
}

// writeObjects writes objects to stdout, or each to a file.
func (c *cli) writeObjects(objects []unstructured.Unstructured, dir string) error {
	if dir == "" {
		data, err := kubernetes.YAML(objects)
		if err != nil {
			return fault.Env(err)
		}
		_, err = c.stdout.Write(data)
		return fault.Env(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Env(err)
	}
	for i := range objects {
		data, err := kubernetes.YAML(objects[i : i+1])
		if err != nil {
			return fault.Env(err)
		}
		name := strings.ToLower(objects[i].GetKind()) + "-" + objects[i].GetName() + ".yaml"
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fault.Env(err)
		}
	}
	_, err := fmt.Fprintf(c.stderr, "%s written to %s.\n", plural(len(objects), "object"), dir)
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
