package data_test

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/data"
)

// BenchmarkRatio compares the statistics of a csv file with 1,000,000 rows with parsing it: splitting it into cells, and parsing
// the numbers. It reports the ratio of the times, and the memory that the statistics need at most.
func BenchmarkRatio(b *testing.B) {
	path := filepath.Join(b.TempDir(), "t.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w, r := bufio.NewWriter(f), rand.New(rand.NewPCG(1, 2))
	fmt.Fprintln(w, "a,b,c,d,e")
	for range 1_000_000 {
		fmt.Fprintf(w, "%v,%d,%.3f,word%d,%t\n", r.NormFloat64(), r.IntN(100), r.Float64(), r.IntN(1000), r.IntN(2) == 0)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	f.Close()
	var parsing, computing time.Duration
	peak := uint64(0)
	for b.Loop() {
		start := time.Now()
		parseOnly(b, path)
		parsing += time.Since(start)
		start = time.Now()
		if _, err := data.File(b.Context(), path); err != nil {
			b.Fatal(err)
		}
		computing += time.Since(start)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapSys)
	}
	b.ReportMetric(float64(computing)/float64(parsing), "times-parsing")
	b.ReportMetric(float64(peak)/(1<<20), "MiB")
}

func parseOnly(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	r.ReuseRecord = true
	sum := 0.0
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		for _, cell := range row[:3] {
			v, _ := strconv.ParseFloat(cell, 64)
			sum += v
		}
	}
	runtime.KeepAlive(sum)
}
