package recipes

import (
	"context"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/cluster/connect"
)

// Kubeconfig adds the EKS cluster of the chosen stack to the kubeconfig. It returns the file and the name of the context.
func (r *Recipes) Kubeconfig(ctx context.Context) (file, name string, err error) {
	c, err := r.ForStack()
	if err != nil {
		return "", "", err
	}
	stack, err := c.TheStack()
	if err != nil {
		return "", "", err
	}
	if stack.Orchestrator.EKSCluster == "" {
		return "", "", fault.Usagef("stack %q has no eks_cluster", stack.Name)
	}
	conn, err := connect.Open(ctx, stack.Orchestrator, r.Env())
	if err != nil {
		return "", "", fault.Env(err)
	}
	file, err = conn.WriteKubeconfig(r.Env())
	return file, conn.EKS.ARN, fault.Env(err)
}
