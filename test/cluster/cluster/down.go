package cluster

import (
	"context"
	"fmt"
	"time"

	"pipec.dev/pipec/test/cluster/cleanup"
	"pipec.dev/pipec/test/cluster/machine"
	"pipec.dev/pipec/test/cluster/network"
	"pipec.dev/pipec/test/cluster/service"
)

// Down stops the cluster and removes what it leaves, except for its logs. It is not an error if there is none.
func (c Cluster) Down(ctx context.Context) error {
	if err := machine.Check(); err != nil {
		return err
	}
	release, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := c.down(); err != nil {
		return err
	}
	fmt.Fprintln(c.Out, "the test cluster is down")
	return nil
}

func (c Cluster) down() error {
	services := service.All(c.Plan.Bin())
	// The last started first, so that none misses what it needs. The node's go at once: what they would tidy up goes anyway.
	for i := len(services) - 1; i >= 0; i-- {
		if err := services[i].Stop(5 * time.Second); err != nil {
			return err
		}
	}
	for _, step := range []func() error{cleanup.Containers, cleanup.Mounts, network.Down, cleanup.Files} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
