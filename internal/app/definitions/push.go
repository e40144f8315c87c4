package definitions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	kubeversion "k8s.io/apimachinery/pkg/util/version"

	emitaws "pipec.dev/pipec/emit/aws"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/image"
	"pipec.dev/pipec/runtime/image/lockfile"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// PushRequest selects what is pushed.
type PushRequest struct {
	Pipelines []string // empty: all, and what the stack no longer uses is removed from the lock
	Upgrade   bool     // resolve tags again
	Secrets   []string // for Dockerfiles
}

// Push pushes what the pipelines refer to, and writes the digests to the lock. The result has what was pushed, also beside
// a fault.
func (d *Definitions) Push(ctx context.Context, r PushRequest) (*image.Result, error) {
	c, err := d.Checked()
	if err != nil {
		return nil, err
	}
	stack, err := d.stack(c, "push")
	if err != nil {
		return nil, err
	}
	programs, err := c.Pipelines(r.Pipelines)
	if err != nil {
		return nil, err
	}
	o := image.Options{Upgrade: r.Upgrade, Secrets: r.Secrets, Prune: len(r.Pipelines) == 0}
	for _, s := range c.Stacks {
		o.Stacks = append(o.Stacks, s.Name)
	}
	o.Cluster = d.locked(ctx, stack)
	return d.push(ctx, stack, programs, o)
}

// ListPush lists what Push would bring to the registry and the store. It queries neither.
func (d *Definitions) ListPush(pipelines []string) ([]image.Want, error) {
	c, err := d.Checked()
	if err != nil {
		return nil, err
	}
	stack, err := d.stack(c, "push")
	if err != nil {
		return nil, err
	}
	programs, err := c.Pipelines(pipelines)
	if err != nil {
		return nil, err
	}
	return image.List(programs, stack), nil
}

// queryTimeout bounds the queries of a cluster that an operation can do without.
const queryTimeout = 10 * time.Second

// locked queries the stack's cluster for what the lock has of it. A push needs no cluster: if the query fails, the observer
// is notified and the lock stays as it is.
func (d *Definitions) locked(ctx context.Context, stack *program.Stack) *program.LockedCluster {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	c, err := connect.Open(ctx, stack.Orchestrator, d.Env())
	var known pod.Options
	if err == nil {
		known, err = queryCluster(ctx, c)
	}
	if err != nil {
		if stack.Orchestrator.Version == "" {
			d.Notify(notice.Infof("The version of the cluster, for which emit writes manifests, is not known: %v", err))
		}
		return nil
	}
	return lockedCluster(known)
}

// lockedCluster is what the lock has of a cluster, without the patch of its version.
func lockedCluster(known pod.Options) *program.LockedCluster {
	v, err := kubeversion.ParseGeneric(known.Version)
	if err != nil {
		return nil
	}
	return &program.LockedCluster{Version: fmt.Sprintf("%d.%d", v.Major(), v.Minor()), Wrapper: known.Wrapper}
}

// pushFirst pushes what programs need before they are applied or run. Where a registry can't be reached, what is locked is
// taken to be there.
func (d *Definitions) pushFirst(ctx context.Context, stack *program.Stack, programs []*program.Program, known pod.Options) error {
	result, err := d.push(ctx, stack, programs, image.Options{Lenient: true, Cluster: lockedCluster(known)})
	if result == nil {
		return err
	}
	for _, item := range result.Items {
		if item.Status != image.Unchanged && item.Kind != image.KindCluster || item.Note != "" && item.Kind == image.KindImage {
			d.Notify(notice.Pushed{Item: item})
		}
	}
	return err
}

func (d *Definitions) push(ctx context.Context, stack *program.Stack, programs []*program.Program, o image.Options) (*image.Result, error) {
	var err error
	if o.Registry, err = registry.New(registry.Options{Agent: "pipec/" + d.Version(), Create: newRepository(stack, programs)}); err != nil {
		return nil, fault.Env(err)
	}
	for _, p := range programs {
		if len(p.Codes) == 0 {
			continue
		}
		s, err := d.OpenStore(ctx, stack.ArtifactStore)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		o.Store = s
		break
	}
	o.Dir, o.Programs, o.Stack, o.Getenv, o.Agent = d.Dir(), programs, stack, d.Getenv, "pipec/"+d.Version()
	o.AgentImage = d.Getenv("PIPEC_AGENT_IMAGE")
	if o.Executable, err = d.Executable(); err != nil {
		return nil, fault.Env(err)
	}
	o.Progress = func(g image.Progress) { d.Notify(notice.Pushing{Progress: g}) }
	result, err := image.Push(ctx, o)
	d.Notify(notice.PushEnded{})
	return result, pushFault(ctx, err)
}

// newRepository returns how missing repositories are created for a stack; nil if they aren't.
func newRepository(stack *program.Stack, programs []*program.Program) *registry.NewRepository {
	if stack.Registry == nil || stack.Registry.NoCreate {
		return nil
	}
	tags := map[string]string{emitaws.TagStack: stack.Name}
	for _, p := range programs {
		if p.Project != "" {
			tags[emitaws.TagProject] = p.Project
		}
	}
	if stack.Recipe != nil {
		for key, value := range stack.Recipe.Tags {
			tags[key] = value
		}
	}
	rules, err := json.Marshal(emitaws.LifecyclePolicy())
	if err != nil {
		return nil
	}
	return &registry.NewRepository{Tags: tags, Lifecycle: string(rules)}
}

// pushFault makes an error of a push a fault.
func pushFault(ctx context.Context, err error) error {
	var faults image.Faults
	var lock *lockfile.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Interruption(ctx, err)
	case errors.As(err, &lock), errors.As(err, &faults) && faults.UsersFault():
		return fault.As(fault.User, err)
	}
	return fault.Env(err)
}
