package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/runtime/image/lockfile"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

const emitLong = `Writes pipelines as plain objects of Kubernetes, for kubectl or GitOps: YAML on stdout, or files. Without a
name, all pipelines of the project.

A definition starts nothing by itself, unless it has a schedule: its CronJob is suspended, and
` + "`kubectl create job --from=cronjob/NAME RUN`" + ` starts a run. With --run, a run is written beside it, as a Job that is
named by the program: applied again, it changes nothing.

It reads the project and pipec.lock.json, and asks no cluster and no registry: what must be pushed first is told on
stderr.`

// targets are what pipelines can be written for; those that are false, not yet.
var targets = map[string]bool{"kubernetes": true, "argo": false, "kubeflow": false, "tekton": false}

func (a *app) emitCommand() *cobra.Command {
	var dir, target string
	var run bool
	cmd := &cobra.Command{
		Use:               "emit [PIPELINE]...",
		Short:             "Write pipelines as objects of Kubernetes",
		Long:              emitLong,
		ValidArgsFunction: a.completePipelines,
		RunE: func(_ *cobra.Command, args []string) error {
			if works, known := targets[target]; !known {
				return usage("there is no target %q: one of kubernetes, argo, kubeflow, tekton", target)
			} else if !works {
				return usage("the target %s is not supported yet; this version writes kubernetes", target)
			}
			return a.emit(args, dir, run)
		},
	}
	cmd.Flags().StringVar(&target, "target", "kubernetes", "what for: kubernetes")
	cmd.Flags().StringVar(&dir, "split", "", "write a file for each object into `DIR` instead")
	cmd.Flags().BoolVar(&run, "run", false, "also a run")
	return cmd
}

func (a *app) emit(args []string, dir string, run bool) error {
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	stack, err := theStack(r)
	if err != nil {
		return err
	}
	if stack.Orchestrator.Kind != "kubernetes" {
		return usage("stack %q runs on this machine, and there is nothing to write for it: choose a stack with orchestrator \"kubernetes\"%s", stack.Name, kubernetesStacks(r))
	}
	programs, err := chosenPrograms(r, args)
	if err != nil {
		return err
	}
	bound, missing, err := a.bind(programs, stack, pod.Options{})
	if err != nil {
		return err
	}
	objects, err := emitted(bound, run)
	if err != nil {
		return world(err)
	}
	if err := a.writeObjects(objects, dir); err != nil {
		return err
	}
	if err := a.tellVersion(stack); err != nil {
		return err
	}
	return a.tellMissing(missing)
}

// tellVersion tells where it isn't known what the cluster can do: what is written then is for any, and apply, which asks
// it, may write another.
func (a *app) tellVersion(stack *program.Stack) error {
	if stack.Orchestrator.Version != "" {
		return nil
	}
	lock, err := a.lock()
	if err != nil || lock.Clusters[stack.Name].Version != "" {
		return err
	}
	_, err = fmt.Fprintf(a.stderr, "The version of Kubernetes is not known, and this is written for any: say kubernetes_version in stack %q, or `pipec push` where the cluster can be asked.\n", stack.Name)
	return world(err)
}

// kubernetesStacks names the stacks that there is something to write for.
func kubernetesStacks(r *compiler.Result) string {
	var names []string
	for _, s := range r.Stacks {
		if s.Orchestrator.Kind == "kubernetes" {
			names = append(names, "--stack "+s.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// chosenPrograms are the programs named, or all.
func chosenPrograms(r *compiler.Result, args []string) ([]*program.Program, error) {
	if len(args) == 0 {
		return r.Programs, nil
	}
	var out []*program.Program
	for _, name := range args {
		p, err := thePipeline(r, []string{name})
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// bind binds programs to a stack by the project's lock, and lists what isn't in that, each once.
func (a *app) bind(programs []*program.Program, stack *program.Stack, o pod.Options) ([]*program.Program, []pod.Missing, error) {
	lock, err := a.lock()
	if err != nil {
		return nil, nil, err
	}
	return bindTo(programs, stack, lock, o)
}

// lock is the project's lock; an empty one where there is none.
func (a *app) lock() (*program.Lock, error) { return lockOf(a.dir) }

func lockOf(dir string) (*program.Lock, error) {
	lock, err := lockfile.Load(dir)
	if err != nil {
		var fault *lockfile.Error
		if errors.As(err, &fault) {
			return nil, user(err)
		}
		return nil, world(err)
	}
	return lock, nil
}

func bindTo(programs []*program.Program, stack *program.Stack, lock *program.Lock, o pod.Options) ([]*program.Program, []pod.Missing, error) {
	var out []*program.Program
	var missing []pod.Missing
	for _, p := range programs {
		bound, m, err := pod.Bind(p, stack, lock, o)
		if err != nil {
			return nil, nil, user(fmt.Errorf("pipeline %q: %w", p.Pipeline, err))
		}
		out = append(out, bound)
		for _, m := range m {
			if !slices.Contains(missing, m) {
				missing = append(missing, m)
			}
		}
	}
	return out, missing, nil
}

// emitted are the objects of all programs: the namespace first, where the stack makes it.
func emitted(programs []*program.Program, run bool) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for i, p := range programs {
		if i == 0 && p.Target.CreateNamespace {
			ns, err := kubernetes.Namespace(p)
			if err != nil {
				return nil, err
			}
			out = append(out, ns)
		}
		objects, err := kubernetes.Definition(p)
		if err != nil {
			return nil, err
		}
		out = append(out, objects...)
		if run {
			job, err := kubernetes.Job(p)
			if err != nil {
				return nil, err
			}
			out = append(out, job)
		}
	}
	return out, nil
}

func (a *app) writeObjects(objects []unstructured.Unstructured, dir string) error {
	if dir == "" {
		data, err := kubernetes.YAML(objects)
		if err != nil {
			return world(err)
		}
		_, err = a.stdout.Write(data)
		return world(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return world(err)
	}
	for i := range objects {
		data, err := kubernetes.YAML(objects[i : i+1])
		if err != nil {
			return world(err)
		}
		name := strings.ToLower(objects[i].GetKind()) + "-" + objects[i].GetName() + ".yaml"
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return world(err)
		}
	}
	_, err := fmt.Fprintf(a.stderr, "%s in %s.\n", plural(len(objects), "object"), dir)
	return world(err)
}

// tellMissing tells what must be there before a run, and isn't known to be.
func (a *app) tellMissing(missing []pod.Missing) error {
	if len(missing) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s must be pushed before a run, with `pipec push`:\n", plural(len(missing), "thing"))
	for _, m := range missing {
		what := map[pod.MissingKind]string{
			pod.MissingAgent: "the agent's image", pod.MissingCode: "code", pod.MissingImage: "the digest of image",
		}[m.Kind]
		if m.Built {
			what = "image"
		}
		fmt.Fprintf(&b, "  %s %s\n", what, m.Name)
	}
	_, err := io.WriteString(a.stderr, b.String())
	return world(err)
}
