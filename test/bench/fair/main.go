// Command fair measures whether a coordinator of a large run leaves the API server to others. It drives a run of many steps on
// the API server of the test cluster, as the service account of a coordinator. Meanwhile, other clients send a few requests a
// second, and so they do before and after the run: the ratio of their latencies is what the run costs them. For comparison,
// the same service account then sends as many requests as the server takes.
//
//	make cluster-up && eval "$(make -s cluster-env)"
//	go run ./test/bench/fair [-steps 1000]
//
// No node runs the pods: they have a scheduler that doesn't exist, and this process reports their ends. Exit status 1 means
// that a goal was missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
)

// The goals. The latencies are those of a machine on which the server, its etcd, the run and all clients share the cores.
const (
	maxAtOnce = 40 // requests of the coordinator: 16 that create pods, 16 that delete pods, its Lease, and reads
	maxRatio  = 10 // of the 99th percentile of the latencies during the run and without it
)

func main() {
	steps := flag.Int("steps", 1000, "the number of steps of the run")
	pause := flag.Duration("quiet", 10*time.Second, "how long is measured without the run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *steps, *pause); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is what was measured during a load.
type row struct {
	what     string
	clients  []*client
	load     *meter // of those who cause the load; nil: there is none
	duration time.Duration
}

func run(ctx context.Context, steps int, pause time.Duration) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	idle := func(ctx context.Context) (*meter, error) { return nil, sleep(ctx, pause) }
	var rows []*row
	for _, phase := range []struct {
		what string
		load func(context.Context) (*meter, error)
	}{
		{"nothing, before the run", idle},
		{fmt.Sprintf("a run of %d steps", steps), func(ctx context.Context) (*meter, error) { return w.drive(ctx, steps) }},
		{"nothing, after the run", idle},
		{fmt.Sprintf("%d connections without a limit", unlimited), func(ctx context.Context) (*meter, error) { return w.flood(ctx, pause) }},
	} {
		r, err := w.during(ctx, phase.what, phase.load)
		if err != nil {
			return fmt.Errorf("%s: %w", phase.what, err)
		}
		rows = append(rows, r)
		fmt.Fprintf(os.Stderr, "%s: %s\n", phase.what, r.duration.Round(time.Second))
	}
	return report(rows)
}

// during lets the clients send requests while load does something.
func (w *world) during(ctx context.Context, what string, load func(context.Context) (*meter, error)) (*row, error) {
	r := &row{what: what}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error)
	for _, user := range w.users() {
		c, err := w.newClient(user)
		if err != nil {
			return nil, err
		}
		r.clients = append(r.clients, c)
		go func() { done <- c.ask(ctx) }()
	}
	began := time.Now()
	var err error
	r.load, err = load(ctx)
	r.duration = time.Since(began)
	stop()
	for range r.clients {
		err = errors.Join(err, <-done)
	}
	return r, err
}

func report(rows []*row) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "during\tclient\trequests\tmedian\t99%\tratio of 99%\tanswers 429\tload: requests/s\tat once\tanswers 429\tpriority level\tof the load")
	var missed []string
	for n, r := range rows {
		for i, c := range r.clients {
			median, slow := c.percentile(50), c.percentile(99)
			quiet := max(rows[0].clients[i].percentile(99), rows[2].clients[i].percentile(99))
			ratio := float64(slow) / float64(quiet)
			load := "\t\t\t"
			level := ""
			if r.load != nil {
				load = fmt.Sprintf("%.0f\t%d\t%d\t", float64(r.load.sent.Load())/r.duration.Seconds(), r.load.most.Load(), r.load.busy.Load())
				level = r.load.priority()
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%.1f\t%d\t%s%s\t%s\n", r.what, c.user.what, len(c.took), round(median), round(slow), ratio, c.meter.busy.Load(),
				load, c.meter.priority(), level)
			if n == 1 && (ratio > maxRatio || c.meter.busy.Load() > 0) {
				missed = append(missed, "the latency of "+c.user.what)
			}
		}
		if n == 1 && r.load.most.Load() > maxAtOnce {
			missed = append(missed, "requests of the coordinator at once")
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(missed) > 0 {
		return fmt.Errorf("goals were missed: %v", missed)
	}
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond / 10) }

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
