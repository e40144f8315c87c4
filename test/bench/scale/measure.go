package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/test/bench/scale/api"
)

// row is what was measured of a scenario.
type row struct {
	scenario
	took     time.Duration
	rss      int64         // the most of a coordinator
	heap     uint64        // the most of a coordinator
	cpu      time.Duration // of all coordinators
	first    time.Duration // from the start of the second coordinator to its first pod; 0: there is none
	folded   time.Duration // how long it takes alone to fold the log that the second coordinator finds
	segments int           // of the logs of all runs
	rate     float64       // pods a second
	plain    float64       // pods a second, of plain connections
	ends     []time.Duration
	gcs      uint64
	routines uint64
	counts   api.Counts
}

// scene is a scenario that is being measured.
type scene struct {
	scenario
	o       *options
	dir     string
	api     *api.API
	url     string
	store   *store.Local
	kubelet *kubelet
	program *program.Program
	file    string // contains the program
	row     *row
}

func measure(ctx context.Context, o *options, c scenario) (*row, error) {
	dir, err := os.MkdirTemp(o.dir, "pipec-scale-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s := &scene{scenario: c, o: o, dir: dir, file: filepath.Join(dir, "program"), row: &row{scenario: c}}
	if s.api, err = api.New(); err != nil {
		return nil, err
	}
	if s.store, err = store.OpenLocal(filepath.Join(dir, "store")); err != nil {
		return nil, err
	}
	defer s.store.Close()
	s.kubelet = newKubelet(&s.scenario, s.api, s.store)
	s.api.Latency, s.api.Kubelet = o.latency, s.kubelet.run
	if c.deaths {
		s.api.Log = []byte(strings.Repeat(strings.Repeat("l", 99)+"\n", logSize/100))
	}
	server := httptest.NewServer(s.api)
	defer server.Close()
	defer server.CloseClientConnections()
	s.url = server.URL
	if s.program, err = c.program(); err != nil {
		return nil, err
	}
	encoded, err := s.program.Encode()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.file, encoded, 0o666); err != nil {
		return nil, err
	}
	return s.row, s.run(ctx)
}

func (s *scene) run(ctx context.Context) error {
	r := s.row
	if s.compared {
		if err := s.plainly(ctx); err != nil {
			return err
		}
	}
	s.api.Reset()
	began := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	coordinators := make([]*process, s.runs)
	for i := range coordinators {
		name := "run-" + strconv.Itoa(i)
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID(name)}}
		if err := s.api.Put(job); err != nil {
			return err
		}
		g.Go(func() (err error) {
			coordinators[i], err = s.drive(gctx, name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, last := s.api.Pods()
	r.took, r.counts = time.Since(began), s.api.Reset()
	r.rate = float64(len(r.counts.Created)) / last.Sub(began).Seconds()
	for _, p := range coordinators {
		r.add(p)
	}
	for key, err := range s.store.List(ctx, "runs/", "") {
		if err != nil {
			return err
		}
		if strings.Contains(key, "/log/") {
			r.segments++
		}
	}
	r.ends = s.successors()
	return nil
}

func (r *row) add(p *process) {
	r.rss, r.heap, r.cpu = max(r.rss, p.RSS), max(r.heap, p.Heap), r.cpu+p.cpu
	r.gcs, r.routines = r.gcs+p.GCs, max(r.routines, p.Goroutines)
}

// successors returns the times from the end of a pod to the creation of the pod that waited for it, sorted.
func (s *scene) successors() []time.Duration {
	var out []time.Duration
	if s.runs > 1 || s.restart {
		return nil
	}
	k := s.kubelet
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range s.program.Steps {
		p := &s.program.Steps[i]
		var last time.Time
		for _, need := range p.Needs {
			if end := k.ended[k.created[need.Step]]; end.After(last) {
				last = end
			}
		}
		if created := s.row.counts.Created[k.created[p.Name]]; !last.IsZero() && !created.IsZero() {
			out = append(out, created.Sub(last))
		}
	}
	slices.Sort(out)
	return out
}

// drive drives a run to its end, with two coordinators if the first one is killed.
func (s *scene) drive(ctx context.Context, run string) (*process, error) {
	first, err := s.start(ctx, s.job(run))
	if err != nil || !s.restart {
		return first, errors.Join(err, first.wait(s.deaths))
	}
	for made := 0; made < s.steps/2; made, _ = s.api.Pods() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		time.Sleep(time.Millisecond)
	}
	rss := resident(strconv.Itoa(first.cmd.Process.Pid))
	first.kill()
	if s.row.folded, err = s.fold(ctx, run); err != nil {
		return nil, err
	}
	before, _ := s.api.Pods()
	began := time.Now()
	p, err := s.start(ctx, s.job(run))
	if err != nil {
		return nil, err
	}
	for made := before; made == before; made, _ = s.api.Pods() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		time.Sleep(time.Millisecond)
	}
	s.row.first = time.Since(began)
	err = p.wait(false)
	p.RSS, p.cpu = max(p.RSS, rss), p.cpu+first.cpu
	return p, err
}

// process is a coordinator in its own process.
type process struct {
	figures
	cmd *exec.Cmd
	out strings.Builder
	cpu time.Duration
}

func (s *scene) job(run string) job {
	return job{API: s.url, Store: s.store.Dir(), Program: s.file, Run: run}
}

// fold measures how long the log of a run takes to fold. Of several times, it returns the least.
func (s *scene) fold(ctx context.Context, run string) (least time.Duration, err error) {
	j := s.job(run)
	j.Fold = true
	for range 3 {
		p, err := s.start(ctx, j)
		if err == nil {
			err = p.wait(false)
		}
		if err != nil {
			return 0, err
		}
		if least == 0 || p.Folded < least {
			least = p.Folded
		}
	}
	return least, nil
}

func (s *scene) start(ctx context.Context, j job) (*process, error) {
	if s.o.profile != "" && !j.Fold {
		j.Profile = filepath.Join(s.o.profile, s.name)
	}
	cmd, err := self(ctx, "-coordinate", j)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	cmd.Stdout = &p.out
	return p, cmd.Start()
}

// self returns a command that is this program with another task.
func self(ctx context.Context, flag string, task any) (*exec.Cmd, error) {
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, flag, string(text))
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// wait waits for the end of a run.
func (p *process) wait(fails bool) error {
	err := p.cmd.Wait()
	p.cpu = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(p.out.String()), &p.figures); err != nil {
		return err
	}
	if p.Status != "succeeded" && !(fails && p.Status == "failed") {
		return fmt.Errorf("the run ended as %q: %s", p.Status, p.Failure)
	}
	return nil
}

// kill ends the process at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cpu = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// plainly measures plain connections.
func (s *scene) plainly(ctx context.Context) error {
	pods := min(s.steps, 3000)
	cmd, err := self(ctx, "-plain", plainJob{API: s.url, Pod: s.program.Steps[0].Pod, Pods: pods})
	if err != nil {
		return err
	}
	text, err := cmd.Output()
	if err != nil {
		return err
	}
	var took time.Duration
	if err := json.Unmarshal(text, &took); err != nil {
		return err
	}
	s.row.plain = float64(pods) / took.Seconds()
	return nil
}
