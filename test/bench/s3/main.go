// Command s3 measures what moves through the S3 store, beside the SDK's own transfer manager on the same server: each
// takes turns with the other, as a process of its own, so that its peak of memory is seen from outside.
//
//	eval "$(make -s cluster-env)"
//	go run ./test/bench/s3 [-size 1024] [-rounds 5]
//
// The store does more than the transfer manager: it hashes what it keeps, and verifies what it reads. Exit status 1 says
// that a target is missed.
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
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

// The targets.
const (
	wantRate   = 0.8       // of the transfer manager's
	wantMemory = 128 << 20 // bytes
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
	peak int64 // of memory, in bytes
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
				fmt.Fprintf(os.Stderr, "%s: %.2f s\n", what, f.took.Seconds())
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
	return figure{took, usage.Maxrss << 10}, nil
}

func report(out map[string][]figure, size int64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d MiB\tpipec\ttransfer manager\trate, of its\ttarget\tpeak memory\ttarget\ttransfer manager's\n", size>>20)
	missed := false
	for _, what := range []string{"put", "get"} {
		ours, its := out[what], out["sdk-"+what]
		var ratios []float64
		for i := range ours {
			ratios = append(ratios, float64(its[i].took)/float64(ours[i].took))
		}
		slices.Sort(ratios)
		ratio, memory := ratios[len(ratios)/2], peak(ours)
		missed = missed || ratio < wantRate || memory > wantMemory
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.1f\t%d MB\t%d MB\t%d MB\n", what, rate(ours, size), rate(its, size), ratio, wantRate,
			memory>>20, wantMemory>>20, peak(its)>>20)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if missed {
		return errors.New("a target is missed")
	}
	return nil
}

func rate(fs []figure, size int64) string {
	var took []time.Duration
	for _, f := range fs {
		took = append(took, f.took)
	}
	slices.Sort(took)
	return fmt.Sprintf("%.0f MB/s", float64(size)/1e6/took[len(took)/2].Seconds())
}

func peak(fs []figure) int64 {
	most := int64(0)
	for _, f := range fs {
		most = max(most, f.peak)
	}
	return most
}
