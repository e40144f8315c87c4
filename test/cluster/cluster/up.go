// Package cluster starts and stops the test cluster as a whole.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/test/cluster/access"
	"pipec.dev/pipec/test/cluster/build"
	"pipec.dev/pipec/test/cluster/flock"
	"pipec.dev/pipec/test/cluster/image"
	"pipec.dev/pipec/test/cluster/machine"
	"pipec.dev/pipec/test/cluster/network"
	"pipec.dev/pipec/test/cluster/place"
	"pipec.dev/pipec/test/cluster/service"
)

// A Cluster is the machine's test cluster as one set of sources has it.
type Cluster struct {
	Plan *build.Plan
	Out  io.Writer // receives progress messages
}

// Up brings the cluster up. One that runs is left alone; one in which programs have died gets these started again.
func (c Cluster) Up(ctx context.Context) error {
	if err := machine.Check(); err != nil {
		return err
	}
	if err := machine.Install(c.Out); err != nil {
		return err
	}
	if err := c.Plan.Build(ctx, c.Out); err != nil {
		return err
	}
	release, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	began := time.Now()
	services := service.All(c.Plan.Bin())
	switch alive := countAlive(services); {
	case alive == 0 || !network.Exists():
		// There is no cluster, or only the remains of a reboot or a killed start, which can't be used.
		if err := c.down(); err != nil {
			return err
		}
		if err := c.prepare(services); err != nil {
			return errors.Join(err, c.down())
		}
	case startedFrom() != service.Digest(services):
		return errors.New("a test cluster runs that was started from other sources: make cluster-down ends it")
	}
	if err := c.start(ctx, services); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "the test cluster is up (%s)\n", time.Since(began).Round(100*time.Millisecond))
	return nil
}

// Running reports whether every program of the cluster runs.
func (c Cluster) Running() bool {
	services := service.All(c.Plan.Bin())
	return network.Exists() && countAlive(services) == len(services)
}

// prepare makes directories, network, certificates and configuration of a new cluster.
func (c Cluster) prepare(services []service.Service) error {
	if err := os.RemoveAll(place.Logs); err != nil {
		return err
	}
	for _, dir := range []string{place.State, place.Access, place.Config, place.Pids, place.Run, place.Logs, place.State + "/s3"} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return err
		}
	}
	if err := access.Make(); err != nil {
		return err
	}
	for _, s := range services {
		if err := s.Configure(); err != nil {
			return err
		}
	}
	if err := network.Up(); err != nil {
		return err
	}
	if err := os.Symlink(c.Plan.Bin(), place.Bin); err != nil {
		return err
	}
	return os.WriteFile(place.Key, []byte(service.Digest(services)), 0o644)
}

// start starts what does not run, stage by stage, and waits until all of it is ready.
func (c Cluster) start(ctx context.Context, services []service.Service) error {
	for stage := 1; stage <= service.Stages; stage++ {
		group, waiting := errgroup.WithContext(ctx)
		var names []string
		for _, s := range services {
			if s.Stage != stage {
				continue
			}
			if !s.Alive() {
				names = append(names, s.Name)
				if err := s.Start(); err != nil {
					return err
				}
			}
			group.Go(func() error { return s.Wait(waiting, s.Patience, s.Ready) })
		}
		if len(names) > 0 {
			fmt.Fprintf(c.Out, "waiting for %s\n", strings.Join(names, ", "))
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if stage == 1 { // the kubelet needs them
			if err := image.Push(ctx, filepath.Join(c.Plan.Bin(), "pause")); err != nil {
				return err
			}
		}
	}
	return nil
}

func countAlive(services []service.Service) (n int) {
	for _, s := range services {
		if s.Alive() {
			n++
		}
	}
	return n
}

// startedFrom returns the digest of the sources that the running cluster was started from.
func startedFrom() string {
	key, err := os.ReadFile(place.Key)
	if err != nil {
		return "unknown"
	}
	return string(key)
}

func (c Cluster) lock(ctx context.Context) (release func(), err error) {
	return flock.Take(ctx, place.Lock, func() {
		fmt.Fprintln(c.Out, "waiting for another process that starts or stops the test cluster")
	})
}
