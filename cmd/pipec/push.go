package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	kubeversion "k8s.io/apimachinery/pkg/util/version"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/image"
	"pipec.dev/pipec/runtime/image/lockfile"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

const pushLong = `Brings to the stack's registry and artifact store what its pipelines refer to, and keeps the digests in
pipec.lock.json, a file that is committed: code is uploaded, images are pinned, the image of pipec-agent is pushed. What
is there already is left alone. apply and run do the same first; emit and plan --offline read the lock alone. The
cluster is asked for its version, where it can be, so that emit writes what apply would apply.

An image stays what it was when it was first pushed, whatever becomes of its tag; --upgrade takes what tags stand for
now. An image block with requirements, packages or a dockerfile isn't built: push says how it is, and looks for it at a
place in the registry that changes with what the block says; --list shows that place, and asks nobody.

A push of all pipelines forgets what the stack no longer uses. Exit status 1 where the project's files are at fault, 3
where it is a registry or the store.`

type pushOptions struct {
	output        string
	upgrade, list bool
}

func (a *app) pushCommand() *cobra.Command {
	var o pushOptions
	cmd := &cobra.Command{
		Use:               "push [PIPELINE]...",
		Short:             "Upload code, pin images, push the agent",
		Long:              pushLong,
		ValidArgsFunction: a.completePipelines,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(o.output); err != nil {
				return err
			}
			return a.push(cmd.Context(), args, o)
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text or json: each thing as a line")
	cmd.Flags().BoolVar(&o.upgrade, "upgrade", false, "take what tags stand for now")
	cmd.Flags().BoolVar(&o.list, "list", false, "list what is needed, and ask nobody")
	return cmd
}

func (a *app) push(ctx context.Context, args []string, o pushOptions) error {
	r, err := a.mustCompile()
	if err != nil {
		return err
	}
	stack, err := clusterStack(r, "push")
	if err != nil {
		return err
	}
	programs, err := chosenPrograms(r, args)
	if err != nil {
		return err
	}
	if o.list {
		return a.listWants(image.List(programs, stack), o.output)
	}
	po := image.Options{Upgrade: o.upgrade, Prune: len(args) == 0}
	for _, s := range r.Stacks {
		po.Stacks = append(po.Stacks, s.Name)
	}
	po.Cluster = a.askForLock(ctx, stack)
	result, err := a.pushThings(ctx, stack, programs, po)
	if result != nil {
		if err := a.showPushed(result, o.output); err != nil {
			return world(err)
		}
	}
	return err
}

// askForLock asks the stack's cluster for what the lock keeps of it. A push needs no cluster: where it can't be asked, that
// is said, and the lock stays as it is.
func (a *app) askForLock(ctx context.Context, stack *program.Stack) *program.LockedCluster {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := connect.Open(ctx, stack.Orchestrator, a.env)
	var known pod.Options
	if err == nil {
		known, err = askCluster(ctx, c)
	}
	if err != nil {
		if stack.Orchestrator.Version == "" {
			fmt.Fprintf(a.stderr, "The cluster can't be asked for its version, by which emit chooses what it writes: %v\n", err)
		}
		return nil
	}
	return lockedCluster(known)
}

// lockedCluster is what is known of a cluster, without what changes with each of its patches.
func lockedCluster(known pod.Options) *program.LockedCluster {
	v, err := kubeversion.ParseGeneric(known.Version)
	if err != nil {
		return nil
	}
	return &program.LockedCluster{Version: fmt.Sprintf("%d.%d", v.Major(), v.Minor()), Wrapper: known.Wrapper}
}

// pushFirst pushes what programs need before they are applied or run, and tells on stderr what it did. Where a registry
// can't be asked, what is locked is taken to be there.
func (a *app) pushFirst(ctx context.Context, stack *program.Stack, programs []*program.Program, known pod.Options) error {
	result, err := a.pushThings(ctx, stack, programs, image.Options{Lenient: true, Cluster: lockedCluster(known)})
	if result == nil {
		return err
	}
	for _, item := range result.Items {
		if item.Status != image.Unchanged && item.Kind != image.KindCluster {
			fmt.Fprintf(a.stderr, "%s %s: %s\n", item.Kind, item.Name, describePushed(item))
		} else if item.Note != "" && item.Kind == image.KindImage {
			fmt.Fprintf(a.stderr, "%s %s: %s\n", item.Kind, item.Name, oneLine(item.Note))
		}
	}
	return err
}

// pushThings pushes; the result is of what went well, beside an error too.
func (a *app) pushThings(ctx context.Context, stack *program.Stack, programs []*program.Program, o image.Options) (*image.Result, error) {
	ctx, signals := a.onInterrupt(ctx)
	defer signals.stop()
	var err error
	if o.Registry, err = registry.New(registry.Options{Agent: "pipec/" + pipecVersion()}); err != nil {
		return nil, world(err)
	}
	for _, p := range programs {
		if len(p.Codes) == 0 {
			continue
		}
		s, err := runs.OpenStore(a.dir, stack.ArtifactStore)
		if err != nil {
			return nil, world(err)
		}
		defer s.Close()
		o.Store = s
		break
	}
	o.Dir, o.Programs, o.Stack = a.dir, programs, stack
	o.AgentImage = a.getenv("PIPEC_AGENT_IMAGE")
	if o.Executable, err = os.Executable(); err != nil {
		return nil, world(err)
	}
	progress := &pushProgress{a: a}
	o.Progress = progress.tell
	result, err := image.Push(ctx, o)
	progress.end()
	return result, pushFailure(err, signals)
}

// pushFailure gives an error of a push its exit status.
func pushFailure(err error, signals *interrupts) error {
	var faults image.Faults
	var lock *lockfile.Error
	switch {
	case err == nil:
		return nil
	case signals.interrupted():
		return said(exitInterrupted)
	case errors.As(err, &lock), errors.As(err, &faults) && faults.UsersFault():
		return user(err)
	}
	return world(err)
}

// showPushed prints what a push did.
func (a *app) showPushed(r *image.Result, output string) error {
	if output == "json" {
		enc := json.NewEncoder(a.stdout)
		for _, item := range r.Items {
			if err := enc.Encode(item); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
	for _, item := range r.Items {
		fmt.Fprintf(w, "%s\t%s\t%s\n", item.Kind, item.Name, describePushed(item))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Changed {
		fmt.Fprintf(a.stderr, "%s has changed: commit it.\n", program.LockFile)
	}
	return nil
}

func describePushed(item image.Item) string {
	out := item.Status
	if len(item.Digest) > 19 {
		out += " " + item.Digest[:19]
	}
	if item.Bytes > 0 {
		out += ", " + byteSize(item.Bytes)
	}
	if item.Note != "" {
		out += " (" + oneLine(item.Note) + ")"
	}
	return out
}

func (a *app) listWants(wants []image.Want, output string) error {
	if output == "json" {
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		for _, want := range wants {
			if err := enc.Encode(want); err != nil {
				return world(err)
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 3, ' ', 0)
	for _, want := range wants {
		text := want.Ref + want.Dir
		if want.Build != "" {
			text += " (to be built)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", want.Kind, want.Name, text)
	}
	return world(w.Flush())
}

// pushProgress tells of what takes long: on a terminal in one line that changes, elsewhere once.
type pushProgress struct {
	a    *app
	told map[string]bool
	line bool // one stands on the terminal
}

func (p *pushProgress) tell(g image.Progress) {
	if p.told == nil {
		p.told = map[string]bool{}
	}
	text := "pushing " + g.Kind + " " + g.Name
	if isTerminal(p.a.stderr) {
		if g.Total > 0 {
			text += fmt.Sprintf(": %s of %s", byteSize(g.Done), byteSize(g.Total))
		}
		fmt.Fprintf(p.a.stderr, "\r\x1b[K%s", text)
		p.line = true
		return
	}
	if !p.told[text] {
		p.told[text] = true
		fmt.Fprintln(p.a.stderr, text)
	}
}

func (p *pushProgress) end() {
	if p.line {
		fmt.Fprint(p.a.stderr, "\r\x1b[K")
	}
}

// byteSize is a number of bytes for a person.
func byteSize(n int64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return plural(int(n), "byte")
}
