// Command s3 measures what moves through the S3 store, beside the SDK's own transfer manager on the same server: each
// takes turns with the other, as a process of its own, so that its peak of memory is seen from outside.
//
//	eval "$(make -s cluster-env)"
//	go run ./test/bench/s3 [-size 1024] [-rounds 5] [-mbps 2000]
//
// The store does more than the transfer manager: it hashes what it keeps, and verifies what it reads. If the server is on the
// same machine, the two share its cores, so every second of a core that a digest needs is taken from the transfer. The command
// therefore measures reading three times: beside the transfer manager alone, beside one whose file is hashed afterwards, and
// over a network of limited bandwidth, where the digest is computed while the network is busy.
//
// The rates are those of the fastest round of each, because other work on the machine only ever slows a round down. Exit
// status 1 reports that a goal is missed. BENCH_PROFILE=FILE writes CPU profiles to FILE.TASK.
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
	"time"
)

func main() {
	o := options{}
	flag.Int64Var(&o.size, "size", 1024, "MiB to move")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each is measured")
	flag.IntVar(&o.mbps, "mbps", 2000, "the limited bandwidth, in millions of bits per second")
	do := flag.String("do", "", "what this process measures (what the command starts itself for)")
	flag.Parse()
	var err error
	if *do != "" {
		err = child(context.Background(), *do, flag.Args())
	} else {
		err = run(context.Background(), o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	size   int64 // MiB
	rounds int
	mbps   int
}

// figure is one process, measured from outside, and the time that the transfer alone took.
type figure struct {
	took   time.Duration
	cpu    time.Duration // of the process
	server time.Duration // of processor time, of the S3 server
	peak   int64         // of memory, in bytes
}

// order returns the tasks of a round. Those who are compared take turns at being the first.
func order(round int) []string {
	if round%2 == 0 {
		return []string{"sdk-put", "put", "hash", "sdk-get", "get", "sdk-hashed", "slow sdk-get", "slow get"}
	}
	return []string{"put", "sdk-put", "hash", "get", "sdk-hashed", "sdk-get", "slow get", "slow sdk-get"}
}

func run(ctx context.Context, o options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp(".", ".bench-s3-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "data")
	if err := fill(file, o.size<<20); err != nil {
		return err
	}
	b, err := newBucket(ctx)
	if err != nil {
		return err
	}
	defer b.remove(context.WithoutCancel(ctx))
	slow, err := limit(ctx, endpoint(), o.mbps*1e6/8)
	if err != nil {
		return err
	}
	out := results{}
	for round := range o.rounds {
		for _, task := range order(round) {
			way := endpoint()
			name, limited := cutSlow(task)
			if limited {
				way = slow.url
			}
			syscall.Sync() // the next measurement must not wait for the writes of this one
			// A virtual machine may have returned its free memory to its host, and pays when it uses that again. So it pays now.
			if _, err := measure(ctx, way, "touch", fmt.Sprint(o.size<<20), "", ""); err != nil {
				return err
			}
			f, err := measure(ctx, way, name, b.name, fmt.Sprint("round", round), file)
			if err != nil {
				return fmt.Errorf("%s: %w", task, err)
			}
			out[task] = append(out[task], f)
			fmt.Fprintf(os.Stderr, "%s: %.2f s, CPU %.2f s, the server's %.2f s\n", task, f.took.Seconds(), f.cpu.Seconds(), f.server.Seconds())
		}
		if err := b.empty(ctx); err != nil { // a server whose disk is filled writes more slowly
			return err
		}
	}
	return out.report(o)
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

func measure(ctx context.Context, server string, args ...string) (figure, error) {
	self, err := os.Executable()
	if err != nil {
		return figure{}, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-do", args[0]}, args[1:]...)...)
	cmd.Stderr, cmd.Env = os.Stderr, append(os.Environ(), endpointVariable+"="+server)
	before := serverTime()
	text, err := cmd.Output()
	if err != nil {
		return figure{}, err
	}
	after := serverTime()
	took, err := time.ParseDuration(string(text))
	if err != nil {
		return figure{}, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return figure{}, errors.New("the system doesn't report how much memory a process used")
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return figure{took, cpu, after - before, usage.Maxrss << 10}, nil
}
