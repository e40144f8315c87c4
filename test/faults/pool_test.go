package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pipec.dev/pipec/test/faults/plan"
)

// progress is how often the number of cells so far is printed.
const progress = 20 * time.Second

// simulateAll simulates cells with a worker for each CPU, and returns their outcomes in the order of the cells.
func simulateAll(t *testing.T, cells []plan.Cell) []outcome {
	t.Helper()
	out := make([]outcome, len(cells))
	next := make(chan int)
	var working sync.WaitGroup
	known := readKnown(t)
	var enough atomic.Bool
	var red atomic.Int64
	var mu sync.Mutex
	var lines *json.Encoder
	if *outcomes != "" {
		f, err := os.Create(*outcomes)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines = json.NewEncoder(f)
	}
	for range min(runtime.GOMAXPROCS(0), len(cells)) {
		working.Go(func() {
			var w *worker
			for i := range next {
				var err error
				if w == nil {
					if w, err = startWorker(); err != nil {
						t.Errorf("a worker can't be started: %s", err)
						w = nil
						continue
					}
				}
				if out[i], err = w.run(cells[i]); err != nil {
					out[i] = outcome{Cell: cells[i].String(), Faults: []string{"dies: " + err.Error()}}
					w = nil
				}
				if len(out[i].Faults) > 0 {
					red.Add(1)
				}
				if *first && len(out[i].Faults) > 0 && known[cells[i].String()] == "" && !excused(cells[i], known) {
					enough.Store(true)
				}
				if lines != nil {
					mu.Lock()
					_ = lines.Encode(&out[i])
					mu.Unlock()
				}
			}
			if w != nil {
				w.stop()
			}
		})
	}
	begun, told := time.Now(), time.Now()
	for i := range cells {
		if enough.Load() {
			break
		}
		next <- i
		if time.Since(told) > progress {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "%d of %d cells in %s, %d red\n", i, len(cells), time.Since(begun).Round(time.Second), red.Load())
		}
	}
	close(next)
	working.Wait()
	return out
}
