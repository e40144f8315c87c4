package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pipec.dev/pipec/test/cluster/service"
)

// Restart stops programs of the running cluster, and starts them again. It returns when they are ready.
func (c Cluster) Restart(ctx context.Context, names []string) error {
	if !c.Running() {
		return errors.New("the test cluster is not up")
	}
	services := service.All(c.Plan.Bin())
	for _, name := range names {
		if !slices.ContainsFunc(services, func(s service.Service) bool { return s.Name == name }) {
			return fmt.Errorf("the test cluster has no program %q", name)
		}
	}
	release, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	began := time.Now()
	for i := len(services) - 1; i >= 0; i-- {
		if s := services[i]; slices.Contains(names, s.Name) {
			if err := s.Stop(s.Patience); err != nil {
				return err
			}
		}
	}
	if err := c.start(ctx, services); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%v started again (%s)\n", names, time.Since(began).Round(100*time.Millisecond))
	return nil
}
