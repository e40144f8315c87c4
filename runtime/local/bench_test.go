package local_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/local"
)

// BenchmarkChain runs a chain of 100 steps that each are /bin/true, and a shell loop that runs it as often. The metric
// is how many times longer the chain takes.
func BenchmarkChain(b *testing.B) {
	const n = 100
	p := newProject(b, chain(n, "/bin/true")...)
	p.o.Observe = nil
	loop := `i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done`
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		out, err := local.Run(context.Background(), p.o)
		ours += time.Since(start)
		if err != nil || out.End.Status != "succeeded" {
			b.Fatal(err, out.End)
		}
		start = time.Now()
		if err := exec.Command("sh", "-c", loop).Run(); err != nil {
			b.Fatal(err)
		}
		theirs += time.Since(start)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-shell")
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N)/n, "µs/step")
}
