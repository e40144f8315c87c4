// Command cluster starts and stops a real Kubernetes cluster on this machine, for the project's tests: etcd, API server,
// controllers, scheduler, kubelet and containerd, with an image registry and an S3 server beside them. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"pipec.dev/pipec/test/cluster/build"
	"pipec.dev/pipec/test/cluster/cluster"
	"pipec.dev/pipec/test/cluster/machine"
	"pipec.dev/pipec/test/cluster/place"
)

// Exit statuses, as pipec's own, with one for a machine that cannot run the cluster, so that scripts can tell it from a
// cluster that failed.
const (
	exitDown   = 1
	exitWorld  = 3
	exitUsage  = 64
	exitUnable = 69
)

const usage = `usage: cluster [-C DIR] up | down | status | env | build | restart PROGRAM...

  up      start the test cluster, and build its programs first if necessary; does nothing if it runs
  down    stop it and remove everything except its logs
  status  exit 0 if it runs, 1 if it doesn't, 69 if this machine can't run it
  env     print its addresses as shell exports
  build   build the binaries only
  restart stop programs of the running cluster, such as etcd, and start them again

  -C DIR  the directory of the module pipec.dev/pipec/test/cluster (the working directory)
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

func run(ctx context.Context, args []string) int {
	source := "."
	if len(args) >= 2 && args[0] == "-C" {
		source, args = args[1], args[2:]
	}
	if len(args) == 0 || len(args) > 1 && args[0] != "restart" {
		fmt.Fprint(os.Stderr, usage)
		return exitUsage
	}
	err := do(ctx, source, args[0], args[1:])
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, usage)
		return exitUsage
	case errors.Is(err, errDown):
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return exitDown
	case errors.Is(err, machine.ErrUnable):
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return exitUnable
	}
	fmt.Fprintln(os.Stderr, "cluster:", err)
	return exitWorld
}

var (
	errUsage = errors.New("usage")
	errDown  = errors.New("the test cluster is not up: make cluster-up starts it")
)

func do(ctx context.Context, source, command string, programs []string) error {
	cache, err := place.Cache()
	if err != nil {
		return err
	}
	plan, err := build.NewPlan(source, cache)
	if err != nil {
		return err
	}
	c := cluster.Cluster{Plan: plan, Out: os.Stderr}
	switch command {
	case "up":
		return c.Up(ctx)
	case "down":
		return c.Down(ctx)
	case "restart":
		return c.Restart(ctx, programs)
	case "build":
		return plan.Build(ctx, os.Stderr)
	case "status", "env":
		if err := machine.Check(); err != nil {
			return err
		}
		if !c.Running() {
			return errDown
		}
		if command == "env" {
			fmt.Print(environment())
		}
		return nil
	}
	return errUsage
}

// environment returns what clients need, as shell exports.
func environment() string {
	var b strings.Builder
	for _, v := range [][2]string{
		{"KUBECONFIG", place.Admin},
		{"PIPEC_TEST_KUBECONFIG", place.Admin},
		{"PIPEC_TEST_API", "https://" + place.API},
		{"PIPEC_TEST_REGISTRY", place.Registry},
		{"PIPEC_TEST_S3", "http://" + place.S3},
		{"PIPEC_TEST_AUDIT_LOG", place.Audit},
		{"PIPEC_TEST_LOGS", place.Logs},
		{"PIPEC_TEST_KUBECTL", place.Bin + "/kubectl"},
		{"PIPEC_TEST_S3_ACCESS_KEY", place.S3Access},
		{"PIPEC_TEST_S3_SECRET_KEY", place.S3Secret},
		{"PIPEC_TEST_S3_REGION", place.S3Region},
		{"AWS_ACCESS_KEY_ID", place.S3Access},
		{"AWS_SECRET_ACCESS_KEY", place.S3Secret},
		{"AWS_REGION", place.S3Region},
	} {
		fmt.Fprintf(&b, "export %s='%s'\n", v[0], v[1])
	}
	fmt.Fprintf(&b, "export PATH='%s':\"$PATH\"\n", place.Bin)
	return b.String()
}
