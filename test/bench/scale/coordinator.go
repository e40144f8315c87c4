package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/kube"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// namespace contains all runs.
const namespace = "ns"

// job is what a process is started with that is a coordinator.
type job struct {
	API     string // its address
	Store   string // its directory
	Program string // a file
	Run     string
	Fold    bool   // it only folds the log of the run, and ends
	Profile string // the start of the names of files for profiles; "": none
}

// figures are what a coordinator reports of itself when it ends.
type figures struct {
	Status     string
	Failure    string
	Heap       uint64 // the most bytes of live and dead objects
	RSS        int64  // the most bytes of resident memory
	Goroutines uint64 // the most at once
	GCs        uint64
	Folded     time.Duration // how long a job with Fold has taken to read and fold the log
}

// memoryLimit and gcPercent are those of the agent, as its Job sets them.
const (
	memoryLimit = 76 << 20
	gcPercent   = 50
)

// coordinate is a coordinator of a run. It prints its figures.
func coordinate(ctx context.Context, text string) error {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	if j.Fold {
		took, err := j.fold(ctx)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(figures{Status: string(record.Succeeded), Folded: took})
	}
	if j.Profile != "" {
		stop, err := profileCPU(j.Profile + ".cpu")
		if err != nil {
			return err
		}
		defer stop()
	}
	watching, stop := context.WithCancel(ctx)
	seen := make(chan figures)
	go func() { seen <- observe(watching, j.Profile) }()
	status, failure := j.drive(ctx)
	stop()
	f := <-seen
	f.Status, f.Failure = status, failure
	return json.NewEncoder(os.Stdout).Encode(f)
}

// connect returns a client that keeps its connections, as clients of a real server do, whose requests share one.
func connect(api string) (*kubeclient.Client, error) {
	return kubeclient.New(&rest.Config{Host: api, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, namespace)
}

func (j *job) drive(ctx context.Context) (status, failure string) {
	c, err := connect(j.API)
	if err != nil {
		return "", err.Error()
	}
	s, err := store.OpenLocal(j.Store)
	if err != nil {
		return "", err.Error()
	}
	defer s.Close()
	loaded, err := kube.Load(func() (io.ReadCloser, error) { return os.Open(j.Program) })
	if err != nil {
		return "", err.Error()
	}
	end, err := kube.Coordinate(ctx, kube.Options{
		Client: c, Store: s, Loaded: loaded, Namespace: namespace, Job: j.Run, JobUID: j.Run, Pod: j.Run, PodUID: j.Run, Out: io.Discard,
	})
	if err != nil {
		return "", err.Error()
	}
	return string(end.Status), end.Message
}

// fold reads and folds the log of the run as a coordinator does that takes it over. It returns how long that took.
func (j *job) fold(ctx context.Context) (time.Duration, error) {
	data, err := os.ReadFile(j.Program)
	if err != nil {
		return 0, err
	}
	p, err := program.Decode(data)
	if err != nil {
		return 0, err
	}
	s, err := store.OpenLocal(j.Store)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	run, err := history.Run(ctx, s, namespace, p.Pipeline, j.Run)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	fold, err := history.NewFold(p, run)
	if err != nil {
		return 0, err
	}
	err = fold.Read(ctx, s, run, nil)
	return time.Since(began), err
}

// observe samples this process until ctx ends.
func observe(ctx context.Context, profiles string) (f figures) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}, {Name: "/gc/cycles/total:gc-cycles"}}
	profiled := uint64(0)
	for ctx.Err() == nil {
		metrics.Read(samples)
		if now := samples[0].Value.Uint64(); now > profiled+profiled/20 && profiles != "" {
			profiled = now
			profileHeap(fmt.Sprintf("%s.%03dM", profiles, now>>20))
		}
		f.Heap, f.Goroutines = max(f.Heap, samples[0].Value.Uint64()), max(f.Goroutines, samples[1].Value.Uint64())
		f.GCs = samples[2].Value.Uint64()
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	f.RSS = resident("self")
	return f
}

// profileCPU writes a profile of this process until the function is called that it returns.
func profileCPU(path string) (func(), error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

func profileHeap(path string) {
	f, err := os.Create(path)
	if err != nil {
		return
	}
	defer f.Close()
	_ = pprof.WriteHeapProfile(f)
}

// resident returns the most bytes of resident memory of a process so far.
func resident(pid string) int64 {
	data, _ := os.ReadFile("/proc/" + pid + "/status")
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kb int64
			_, _ = fmt.Sscan(text, &kb)
			return kb << 10
		}
	}
	return 0
}
