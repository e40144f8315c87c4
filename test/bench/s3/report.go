package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// The goals.
const (
	wantRate   = 0.95     // of the transfer manager's
	wantMemory = 64 << 20 // bytes
)

// results are the figures of each task.
type results map[string][]figure

// cutSlow splits the name of a task from the note that its bandwidth is limited.
func cutSlow(task string) (name string, limited bool) { return strings.CutPrefix(task, "slow ") }

func (r results) report(o options) error {
	size := o.size << 20
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d MiB\tpipec\ttransfer manager\trate, of its\tgoal\tCPU time\tits\tserver's\tserver's beside its\tbusy cores\tbeside its\tpeak memory\tgoal\tits\n", o.size)
	missed := false
	for _, c := range []struct{ what, ours, its string }{
		{"put", "put", "sdk-put"},
		{"get", "get", "sdk-get"},
		{"get, of both with a digest", "get", "sdk-hashed"},
		{fmt.Sprintf("get, with %d Mbit/s", o.mbps), "slow get", "slow sdk-get"},
	} {
		ours, its := r[c.ours], r[c.its]
		ratio := fastest(its).took.Seconds() / fastest(ours).took.Seconds()
		memory := peak(ours)
		want, goal := r.goal(c.its)
		missed = missed || ratio < want
		missed = missed || memory > wantMemory
		a, b := fastest(ours), fastest(its)
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%s\t%.2f s\t%.2f s\t%.2f s\t%.2f s\t%.1f\t%.1f\t%d MiB\t%d MiB\t%d MiB\n", c.what, speed(a, size), speed(b, size), ratio, goal,
			a.cpu.Seconds(), b.cpu.Seconds(), a.server.Seconds(), b.server.Seconds(), a.busy(), b.busy(), memory>>20, wantMemory>>20, peak(its)>>20)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("The digest alone: %.2f s of CPU time. This machine has %d cores.\n", fastest(r["hash"]).cpu.Seconds(), runtime.NumCPU())
	if missed {
		return errors.New("a goal is missed")
	}
	return nil
}

// goal returns the rate to reach, of the transfer manager's, and its description: wantRate of what is possible. Two things lower what
// is possible, however efficient the rest is. The digest is the name of what is put, so it must be known before the first byte is
// sent. And if the transfer manager and a server on the same machine keep all cores busy, the digest takes its processor time from
// the transfer.
func (r results) goal(its string) (want float64, text string) {
	base, hash := fastest(r[its]), fastest(r["hash"])
	least := base.took
	switch its {
	case "sdk-put":
		least += hash.took
	case "sdk-get":
		least = max(least, (base.cpu+base.server+hash.cpu)/time.Duration(runtime.NumCPU()))
	}
	possible := base.took.Seconds() / least.Seconds()
	if possible > 0.999 {
		return wantRate, fmt.Sprintf("%.2f", wantRate)
	}
	return wantRate * possible, fmt.Sprintf("%.2f, of %.2f that is possible", wantRate*possible, possible)
}

// busy returns how many cores the process and the server kept busy.
func (f figure) busy() float64 { return (f.cpu + f.server).Seconds() / f.took.Seconds() }

// fastest returns the figure with the least time.
func fastest(fs []figure) figure {
	return slices.MinFunc(fs, func(a, b figure) int { return cmp.Compare(a.took, b.took) })
}

func speed(f figure, size int64) string {
	return fmt.Sprintf("%.0f MB/s", float64(size)/1e6/f.took.Seconds())
}

func peak(fs []figure) int64 {
	return slices.MaxFunc(fs, func(a, b figure) int { return cmp.Compare(a.peak, b.peak) }).peak
}
