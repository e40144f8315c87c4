// Command cluster measures what a run costs on the test cluster, compared with the minimum: bare pods of the same steps,
// created one by one through a watch. Both alternate, and both are timed by one watch from the first pod's creation to the
// end of the last. The median of the pairs' ratios is printed. The server's audit log counts the coordinator's requests to
// the API server.
//
//	make cluster-up && eval "$(make -s cluster-env)"
//	go run ./test/bench/cluster [-rounds 3]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
)

func main() {
	rounds := flag.Int("rounds", 3, "how often each is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// shape is a pipeline whose steps all run `true`.
type shape struct {
	name  string
	steps []string
	needs map[string][]string
	// The targets: times the floor, by wrapper.
	image, init float64
}

func shapes() []shape {
	seed := shape{name: "seed", image: 1.2, init: 1.6,
		steps: []string{"importer", "trainer", "evaluator", "skew"},
		needs: map[string][]string{"trainer": {"importer"}, "evaluator": {"importer", "trainer"}, "skew": {"importer"}}}
	chain := shape{name: "chain-10", image: 1.12, init: 1.6, needs: map[string][]string{}}
	for i := range 10 {
		name := fmt.Sprintf("s%d", i)
		if i > 0 {
			chain.needs[name] = []string{chain.steps[i-1]}
		}
		chain.steps = append(chain.steps, name)
	}
	fan := shape{name: "fan-20", image: 1.3, init: 1.6}
	for i := range 20 {
		fan.steps = append(fan.steps, fmt.Sprintf("s%02d", i))
	}
	return []shape{seed, chain, fan}
}

func run(ctx context.Context, rounds int) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	var rows []row
	for _, s := range shapes() {
		for _, wrapper := range []string{"image", "init"} {
			if err := w.apply(ctx, wrapper); err != nil {
				return err
			}
			r := row{shape: s, wrapper: wrapper}
			for i := range rounds + 1 {
				one, err := w.pair(ctx, s)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, wrapper, err)
				}
				if i > 0 { // the first is for what is pulled and read once
					r.pairs = append(r.pairs, one)
				}
				fmt.Fprintf(os.Stderr, "%s %s: %.2f s, %.2f s bare\n", s.name, wrapper, one.run.pods.Seconds(), one.floor.Seconds())
			}
			rows = append(rows, r)
		}
	}
	return report(rows)
}

func report(rows []row) error {
	t := tabwriter.NewWriter(os.Stdout, 2, 0, 2, ' ', 0)
	fmt.Fprintln(t, "steps\twrapper\tbare pods\tpipec\tratio\ttarget\tits own start\tand end\tcreates, deletes of pods\tlease\tcoordinator's memory")
	missed := false
	for _, r := range rows {
		target := r.shape.image
		if r.wrapper == "init" {
			target = r.shape.init
		}
		ratio := median(r.pairs, func(p pair) float64 { return p.run.pods.Seconds() / p.floor.Seconds() })
		verdict := ""
		if ratio > target {
			verdict, missed = " missed", true
		}
		last := r.pairs[len(r.pairs)-1].run
		fmt.Fprintf(t, "%s\t%s\t%.2f s\t%.2f s\t%.2f\t%.2f%s\t%.2f s\t%.2f s\t%d, %d\t%d\t%.0f MB\n", r.shape.name, r.wrapper,
			median(r.pairs, func(p pair) float64 { return p.floor.Seconds() }),
			median(r.pairs, func(p pair) float64 { return p.run.pods.Seconds() }), ratio, target, verdict,
			median(r.pairs, func(p pair) float64 { return p.run.before.Seconds() }),
			median(r.pairs, func(p pair) float64 { return p.run.after.Seconds() }),
			last.creates, last.deletes, last.leases, median(r.pairs, func(p pair) float64 { return float64(p.run.peak) / 1e6 }))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if missed {
		return errors.New("a target was missed")
	}
	return nil
}
