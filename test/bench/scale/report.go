package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// The goals.
const (
	maxRSS      = 100 << 20
	maxCPU      = 2 * time.Millisecond // a step
	maxFirst    = 3 * time.Second
	maxSegments = 170 // of a run of 10,000 steps
	maxRoutines = 500 // goroutines at once, however many pods run
	minRatio    = 0.5 // of plain connections
	maxMedian   = 20 * time.Millisecond
	maxSlowest  = 250 * time.Millisecond // the 99th percentile
)

// report prints what was measured. It returns an error if a goal was missed.
func report(rows []*row) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "case\tsteps\tRSS\theap\tCPU a step\tlog segments\tpods/s\tof 8 plain connections\tend to successor\tfirst pod\trequests at once\tgoroutines\tcollections")
	var missed []string
	for _, r := range rows {
		var bad []string
		check := func(ok bool, what, format string, args ...any) string {
			text := fmt.Sprintf(format, args...)
			if !ok {
				bad = append(bad, what)
				text += " !"
			}
			return text
		}
		steps := r.steps * r.runs
		cells := []string{
			r.name, fmt.Sprint(steps),
			check(r.rss <= maxRSS, "memory", "%d MiB", r.rss>>20), fmt.Sprintf("%d MiB", r.heap>>20),
			check(r.costly || r.cpu <= maxCPU*time.Duration(steps), "CPU", "%.2f ms", float64(r.cpu.Microseconds())/1000/float64(steps)),
			check(r.runs > 1 || r.value > 0 || r.segments <= maxSegments, "log segments", "%d", r.segments),
			fmt.Sprintf("%.0f", r.rate), "", "", "",
			fmt.Sprint(r.counts.AtOnce), check(r.routines <= maxRoutines, "goroutines", "%d", r.routines), fmt.Sprint(r.gcs),
		}
		if r.plain > 0 {
			cells[7] = check(r.rate >= minRatio*r.plain, "rate", "%.2f of %.0f/s", r.rate/r.plain, r.plain)
		}
		if n := len(r.ends); n > 0 {
			median, slowest := r.ends[n/2], r.ends[n*99/100]
			cells[8] = check(!r.prompt || median <= maxMedian && slowest <= maxSlowest, "end to successor", "%s, 99%% %s", median.Round(time.Millisecond/10), slowest.Round(time.Millisecond))
		}
		if r.first > 0 {
			cells[9] = check(r.first <= maxFirst, "first pod", "%.1f s", r.first.Seconds()) + fmt.Sprintf(", folding the log takes %.2f s", r.folded.Seconds())
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
		if len(bad) > 0 {
			missed = append(missed, r.name+" ("+strings.Join(bad, ", ")+")")
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(missed) > 0 {
		return errors.New("goals were missed: " + strings.Join(missed, ", "))
	}
	return nil
}
