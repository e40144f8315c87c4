// Command scale measures a coordinator of large runs: its memory, its processor time, how soon it creates pods, and how it
// shares an API server. The coordinator is the real one, in its own process with the agent's settings of the garbage
// collector. The API server is in memory (package api) and answers in protobuf, a kubelet that is a few lines ends the pods, and
// the store is a directory.
//
//	go run ./test/bench/scale [-case wide] [-latency 5ms] [-profile DIR]
//
// Exit status 1 means that a goal was missed. Memory and counts are exact. On a machine that has other work to do, times are
// upper bounds: compare the rate of creations with the rate of plain connections, which is measured in the same run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"
)

// options are the flags.
type options struct {
	cases   *regexp.Regexp
	latency time.Duration
	profile string
	small   int
	dir     string
}

func main() {
	var o options
	pattern := flag.String("case", "", "a pattern of the cases to measure")
	flag.DurationVar(&o.latency, "latency", 5*time.Millisecond, "how long each request that writes takes in addition, as etcd does on a real server")
	flag.StringVar(&o.profile, "profile", "", "a directory for profiles of the coordinators' processor time and memory, and of the rest")
	flag.IntVar(&o.small, "small", 1, "divides the number of steps, for a quick look")
	flag.StringVar(&o.dir, "dir", inMemory(), "where the store is: a file system in memory, or else its speed is measured too")
	child := flag.String("coordinate", "", "what this process does for another one (JSON)")
	plain := flag.String("plain", "", "what this process does for another one (JSON)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := func() (err error) {
		switch {
		case *child != "":
			return coordinate(ctx, *child)
		case *plain != "":
			return createPlainly(ctx, *plain)
		}
		if o.cases, err = regexp.Compile(*pattern); err != nil {
			return err
		}
		return run(ctx, &o)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// inMemory returns a directory of a file system in memory; "": the default for temporary files.
func inMemory() string {
	const dir = "/dev/shm"
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	return ""
}

func run(ctx context.Context, o *options) error {
	if o.profile != "" {
		stop, err := profileCPU(filepath.Join(o.profile, "rest.cpu"))
		if err != nil {
			return err
		}
		defer stop()
	}
	var rows []*row
	for _, c := range cases() {
		if !o.cases.MatchString(c.name) {
			continue
		}
		c.runs, c.steps = max(1, c.runs/o.small), max(c.width, c.steps/o.small)
		r, err := measure(ctx, o, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		rows = append(rows, r)
		fmt.Fprintln(os.Stderr, r.name, "took", r.took.Round(time.Second))
	}
	return report(rows)
}
