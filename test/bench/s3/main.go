// Command s3 measures what moves through the S3 store, beside the SDK's own transfer manager on the same server: each
// takes turns with the other, as a process of its own, so that its peak of memory is seen from outside.
//
//	eval "$(make -s cluster-env)"
//	go run ./test/bench/s3 [-size 1024] [-rounds 5]
//
// The store does more than the transfer manager: it hashes what it keeps, and verifies what it reads. The rates are those of
// the fastest round of each, because other work on the machine only ever slows a round down. Exit status 1 reports that a
// target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"text/tabwriter"
	"time"
)

// The targets.
const (
	wantRate   = 0.95     // of the transfer manager's
	wantMemory = 64 << 20 // bytes
)

func main() {
	size := flag.Int64("size", 1024, "MiB to move")
	rounds := flag.Int("rounds", 5, "how often each is measured")
	do := flag.String("do", "", "what this process measures (what the command starts itself for)")
	flag.Parse()
	var err error
	if *do != "" {
		err = child(context.Background(), *do, flag.Args())
	} else {
		err = run(context.Background(), *size<<20, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// figure is one process, measured from outside, and the time that the transfer alone took.
type figure struct {
	took time.Duration
	cpu  time.Duration // of the process
	peak int64         // of memory, in bytes
}

func run(ctx context.Context, size int64, rounds int) error {
	dir, err := os.MkdirTemp(".", ".bench-s3-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "data")
	if err := fill(file, size); err != nil {
		return err
	}
	b, err := newBucket(ctx)
	if err != nil {
		return err
	}
	defer b.remove(context.WithoutCancel(ctx))
	out := map[string][]figure{}
	for round := range rounds {
		order := []string{"sdk-", ""}
		if round%2 == 1 {
			order = []string{"", "sdk-"}
		}
		for _, who := range order {
			for _, what := range []string{who + "put", who + "get"} {
				syscall.Sync() // the next measurement must not wait for the writes of this one
				f, err := measure(ctx, what, b.name, fmt.Sprint("round", round), file)
				if err != nil {
					return fmt.Errorf("%s: %w", what, err)
				}
				out[what] = append(out[what], f)
				fmt.Fprintf(os.Stderr, "%s: %.2f s, CPU %.2f s\n", what, f.took.Seconds(), f.cpu.Seconds())
			}
			if err := b.empty(ctx); err != nil { // a server whose disk is filled writes more slowly
				return err
			}
		}
	}
	return report(out, size)
}

// fill writes what can't be compressed.
func fill(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{1}), size); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func measure(ctx context.Context, args ...string) (figure, error) {
	self, err := os.Executable()
	if err != nil {
		return figure{}, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-do", args[0]}, args[1:]...)...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return figure{}, err
	}
	took, err := time.ParseDuration(string(text))
	if err != nil {
		return figure{}, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return figure{}, errors.New("the system doesn't report how much memory a process used")
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return figure{took, cpu, usage.Maxrss << 10}, nil
}

func report(out map[string][]figure, size int64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d MiB\tpipec\ttransfer manager\trate, of its\ttarget\tCPU time, of its\tpeak memory\ttarget\ttransfer manager's\n", size>>20)
	missed := false
	for _, what := range []string{"put", "get"} {
		ours, its := out[what], out["sdk-"+what]
		ratio := fastest(its, took).Seconds() / fastest(ours, took).Seconds()
		memory := peak(ours)
		missed = missed || ratio < wantRate || memory > wantMemory
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%d MiB\t%d MiB\t%d MiB\n", what, rate(ours, size), rate(its, size), ratio, wantRate,
			fastest(ours, cpu).Seconds()/fastest(its, cpu).Seconds(), memory>>20, wantMemory>>20, peak(its)>>20)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if missed {
		return errors.New("a target is missed")
	}
	return nil
}

func took(f figure) time.Duration { return f.took }

func cpu(f figure) time.Duration { return f.cpu }

// fastest returns the least time of all rounds.
func fastest(fs []figure, of func(figure) time.Duration) time.Duration {
	least := of(fs[0])
	for _, f := range fs {
		least = min(least, of(f))
	}
	return least
}

func rate(fs []figure, size int64) string {
	return fmt.Sprintf("%.0f MB/s", float64(size)/1e6/fastest(fs, took).Seconds())
}

func peak(fs []figure) int64 {
	most := int64(0)
	for _, f := range fs {
		most = max(most, f.peak)
	}
	return most
}
