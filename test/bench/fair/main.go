// Command fair measures whether a coordinator of a large run leaves the API server to others. It drives a run of many steps on
// the API server of the test cluster, as the service account of a coordinator. Meanwhile, other clients send a few requests a
// second, and so they do before and after the run, while a few plain connections create the same pods, and while the same
// service account sends as many requests as the server takes. The ratios of their latencies are what each load costs them.
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

// The goals.
const (
	// maxAtOnce is how many requests the coordinator sends at once: 16 that create pods, 16 that delete pods, its Lease, and
	// reads. In the default configuration, its priority level has six times as many seats, so it fills no queue.
	maxAtOnce = 40
	// maxWait is how long a request may wait in the server's queues on average, in any priority level.
	maxWait = time.Millisecond
	// maxRatio limits the latencies of others during the run (their 95th percentile), compared with those while the same pods are
	// created by plain connections. The server, its etcd, the load and all clients share the cores of one machine, so every load
	// makes the others slower, the more requests are under way: at most 32 of the run, and 8 of the connections.
	maxRatio = 4
	slowest  = 95 // the percentile
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
	queues   queues
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
		{fmt.Sprintf("the same pods, created by %d plain connections", plain), func(ctx context.Context) (*meter, error) { return w.plainly(ctx, steps) }},
		{"nothing, after the runs", idle},
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
	before, err := w.queues(ctx)
	if err != nil {
		return nil, err
	}
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
	r.load, err = load(ctx)
	r.duration = time.Since(began)
	after, qerr := w.queues(ctx)
	r.queues, err = after.since(before), errors.Join(err, qerr)
	stop()
	for range r.clients {
		err = errors.Join(err, <-done)
	}
	return r, err
}

// The rows of report.
const (
	quietBefore = iota
	during
	plainPods
	quietAfter
)

func report(rows []*row) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "during\tclient\trequests\tmedian\t95%\tof nothing\tof plain connections\tanswers 429\tpriority level\tload: requests/s\tat once\tanswers 429\tits priority level\tmean wait in queues")
	var missed []string
	for n, r := range rows {
		for i, c := range r.clients {
			slow := c.percentile(slowest)
			quiet := max(rows[quietBefore].clients[i].percentile(slowest), rows[quietAfter].clients[i].percentile(slowest))
			ratio := times(slow, rows[plainPods].clients[i].percentile(slowest))
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%.1f\t%.1f\t%d\t%s\t%s\n", r.what, c.user.what, len(c.took), round(c.percentile(50)), round(slow),
				times(slow, quiet), ratio, c.meter.busy.Load(), c.meter.priority(), r.describe(i == 0))
			if n == during && (ratio > maxRatio || c.meter.busy.Load() > 0) {
				missed = append(missed, "the latency of "+c.user.what)
			}
		}
		if n != during {
			continue
		}
		if r.load.most.Load() > maxAtOnce {
			missed = append(missed, "requests of the coordinator at once")
		}
		for level, q := range r.queues {
			if q.mean() > maxWait || q.rejected > 0 {
				missed = append(missed, "the queue of "+level)
			}
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

// describe returns the cells about the load, which are the same for all clients.
func (r *row) describe(first bool) string {
	switch {
	case !first:
		return "\t\t\t\t"
	case r.load == nil:
		return "\t\t\t\t" + r.queues.String()
	}
	return fmt.Sprintf("%.0f\t%d\t%d\t%s\t%s", float64(r.load.sent.Load())/r.duration.Seconds(), r.load.most.Load(), r.load.busy.Load(), r.load.priority(), r.queues)
}

func times(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

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
