package recipes

import (
	"context"
	"errors"
	"strings"

	emitaws "pipec.dev/pipec/emit/aws"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/aws"
	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/runtime/cluster/external"
	"pipec.dev/pipec/runtime/image/lockfile"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// DownRequest are the options of PrepareDown.
type DownRequest struct {
	WithData    bool // delete the bucket and the repositories with their content
	SkipCluster bool // don't ask the cluster for load balancers and volumes
}

// Down is what `stack down` would do.
type Down struct {
	Name    string            `json:"name"` // of the CloudFormation stack
	Region  string            `json:"region"`
	Stack   string            `json:"stack"`
	Project string            `json:"project"`
	Exists  bool              `json:"exists"`
	Objects []external.Object `json:"objects,omitempty"` // of the cluster, that are deleted first
	Delete  []aws.Left        `json:"delete,omitempty"`  // buckets and repositories that are deleted
	Keep    []aws.Left        `json:"keep,omitempty"`    // those that are kept, because they have content

	recipes     *Recipes
	environment *aws.Environment
	data        *aws.Data
	cluster     *external.Client
}

// Empty reports whether there is nothing to remove.
func (d *Down) Empty() bool { return !d.Exists && len(d.Delete) == 0 }

// PrepareDown returns what would be removed.
func (r *Recipes) PrepareDown(ctx context.Context, q DownRequest) (*Down, error) {
	one, err := r.recipe()
	if err != nil {
		return nil, err
	}
	d := &Down{Name: one.Name, Region: one.Region, Stack: one.stack.Name, Project: one.Project, recipes: r}
	var clients *aws.Clients
	if d.environment, clients, err = one.environment(ctx); err != nil {
		return nil, err
	}
	found, err := d.environment.Look(ctx)
	if err != nil {
		return nil, awsFault(ctx, err)
	}
	d.Exists = found.Status != ""
	if found.Protected {
		return nil, fault.Userf("the CloudFormation stack %s is protected from deletion", one.Name).
			WithHint("set deletion_protection = false in the recipe, and run: pipec stack up --stack %s", one.stack.Name)
	}
	outputs, err := r.made(one, found)
	if err != nil {
		return nil, err
	}
	d.data = &aws.Data{S3: clients.S3, ECR: clients.ECR}
	if one.Creates(kinds.RecipeBucket) {
		d.data.Bucket = outputs["bucket"]
	}
	if one.Creates(kinds.RecipeRepositories) {
		d.data.Prefix = one.Name + "/"
	}
	left, err := d.data.Look(ctx)
	if err != nil {
		return nil, awsFault(ctx, err)
	}
	for _, l := range left {
		if l.Content && !q.WithData {
			d.Keep = append(d.Keep, l)
		} else {
			d.Delete = append(d.Delete, l)
		}
	}
	if arn := outputs["cluster"]; one.Creates(kinds.RecipeCluster) && arn != "" && d.Exists && !q.SkipCluster {
		return d, d.look(ctx, arn)
	}
	return d, nil
}

// made returns the outputs of the CloudFormation stack, or those of the lock if the stack has none any more.
func (r *Recipes) made(one *recipe, found aws.Stack) (map[string]string, error) {
	out := map[string]string{}
	lock, err := r.Lock()
	if err != nil {
		return nil, err
	}
	for name, value := range lock.Recipes[one.stack.Name].Outputs {
		out[name] = value
	}
	for _, o := range r.Tables().Kinds.Recipe(one.Kind).Outputs {
		if value := found.Outputs[emitaws.OutputName(o.Name)]; value != "" {
			out[o.Name] = value
		}
	}
	return out, nil
}

// look finds the objects of the cluster that have something outside of it.
func (d *Down) look(ctx context.Context, arn string) error {
	conn, err := connect.Open(ctx, program.Orchestrator{EKSCluster: arn}, d.recipes.Env())
	var failed *connect.Error
	if errors.As(err, &failed) && failed.Reason == connect.NoContext {
		return nil // an earlier attempt has deleted the cluster
	}
	if err == nil {
		if d.cluster, err = external.New(conn.Config); err == nil {
			if d.Objects, err = d.cluster.List(ctx); err != nil {
				err = conn.Explain(err)
			}
		}
	}
	if err == nil || ctx.Err() != nil {
		return fault.Interruption(ctx, err)
	}
	return &fault.Fault{
		Kind: fault.Environment, Err: err, Message: "the load balancers and volumes of the cluster can't be listed: " + err.Error(),
		Hint: "Without this, they would remain. --skip-cluster deletes the stack anyway.",
	}
}

// Apply removes it. The end of ctx stops following, and not CloudFormation.
func (d *Down) Apply(ctx context.Context, observe func(aws.Event)) error {
	if len(d.Objects) > 0 {
		err := d.cluster.Remove(ctx, d.Objects, func(o external.Object) { d.recipes.Notify(notice.Infof("%s deleted", o)) })
		if err != nil {
			return awsFault(ctx, err)
		}
	}
	if err := d.environment.Delete(ctx, observe); err != nil {
		return d.failed(ctx, err)
	}
	for _, l := range d.Delete {
		if err := d.data.Delete(ctx, l); err != nil {
			return awsFault(ctx, err)
		}
		d.recipes.Notify(notice.Infof("%s deleted", l))
	}
	_, _, err := lockfile.Update(ctx, d.recipes.Dir(), func(l *program.Lock) { delete(l.Recipes, d.Stack) })
	return fault.Env(err)
}

func (d *Down) failed(ctx context.Context, err error) error {
	var failed *aws.FailedError
	switch {
	case ctx.Err() != nil:
		return &fault.Fault{
			Kind: fault.Interrupted, Err: err, Message: "Interrupted. CloudFormation continues to delete " + d.Name + ".", Hint: "The same command follows it again.",
		}
	case errors.As(err, &failed):
		hint := "Remove what prevents the deletion, and run the same command again."
		if failed.First != nil && strings.HasPrefix(failed.First.Type, "AWS::EC2::") {
			hint = "Something that CloudFormation didn't make uses the network, such as a load balancer. Delete it, and run the same command again."
		}
		return &fault.Fault{Kind: fault.Environment, Message: failed.Error(), Err: err, Hint: hint}
	}
	return awsFault(ctx, err)
}

// Remaining returns the buckets and repositories of the recipe that exist now.
func (d *Down) Remaining(ctx context.Context) ([]aws.Left, error) {
	left, err := d.data.Look(ctx)
	return left, awsFault(ctx, err)
}
