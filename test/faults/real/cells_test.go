package real

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/test/faults/check"
	"pipec.dev/pipec/test/faults/plan"
	"pipec.dev/pipec/test/faults/real/apiserver"
	"pipec.dev/pipec/test/faults/real/bridge"
	"pipec.dev/pipec/test/faults/reference"
	"pipec.dev/pipec/test/faults/world"
)

var (
	count = flag.Int("count-cells", few, "how many cells run against the real API server")
	pick  = flag.Uint64("pick", 1, "selects the cells")
	one   = flag.String("cell", "", "run this one cell, and print its history")
)

const (
	limit = 90 * time.Minute // of a run, by the simulation's clock
	rest  = 15 * time.Minute // after its end
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "6") // most of its time a cell waits for the server
	os.Exit(kubetest.Main(m))
}

// simulator runs cells, on the model or on a real server. It is safe for concurrent use.
type simulator struct {
	runs    map[string]*reference.Reference
	names   []string
	before  map[string]map[string][]byte // what the earlier runs have left in the store
	environ *step.Inherited
	dir     string
	bridges [2]*bridge.Bridge // by the seed: with WatchList, and without
	made    atomic.Int64
}

func newSimulator(t *testing.T) *simulator {
	t.Helper()
	all, err := reference.Load(os.DirFS(".."), "testdata/runs")
	if err != nil {
		t.Fatal(err)
	}
	s := &simulator{runs: map[string]*reference.Reference{}, before: map[string]map[string][]byte{}, environ: step.Inherit([]string{"PATH=/bin:/usr/bin"}), dir: t.TempDir()}
	for _, r := range all {
		s.runs[r.Name], s.names = r, append(s.names, r.Name)
		if r.Before != nil {
			o := r.Earlier()
			o.Dir, o.Environ = s.files(), s.environ
			w, _ := play(t, o)
			s.before[r.Name] = w.Objects.All()
		}
	}
	return s
}

// files returns the directory of the files of a simulation.
func (s *simulator) files() string { return filepath.Join(s.dir, fmt.Sprint(s.made.Add(1))) }

// play runs a simulation, and reports whether its run has ended in time. Its clock begins with the real time, which the real
// server uses.
func play(t *testing.T, o world.Options) (w *world.World, ended bool) {
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now))
		w = world.New(t, o)
		ended = w.Play(context.Background(), limit, rest)
	})
	_ = os.RemoveAll(o.Dir)
	return w, ended
}

// run runs a cell, and returns the promises that were broken.
func (s *simulator) run(t *testing.T, c plan.Cell, real bool) (*world.World, []check.Fault) {
	r := s.runs[c.Run]
	o := r.Options(c)
	o.Store, o.Dir, o.Environ = s.before[r.Name], s.files(), s.environ
	if real {
		namespace := fmt.Sprintf("cell-%d", s.made.Add(1))
		o.Server = func(t *testing.T, kubelet func(corev1.Pod)) world.Server {
			return bridge.NewServer(t, s.bridges[c.Seed%2], namespace, kubelet)
		}
	}
	w, ended := play(t, o)
	return w, check.Run(check.Input{Cell: c, Reference: r, History: w.History.Events(), Store: w.Objects, Ended: ended})
}

// connect starts the real servers.
func (s *simulator) connect(t *testing.T) {
	etcd := startEtcd(t, testcluster.Env(t))
	var starting sync.WaitGroup
	var servers [2]*apiserver.Server
	var errs [2]error
	for i, gates := range [][]string{nil, {"WatchList=false", "WatchListClient=false"}} {
		starting.Go(func() { servers[i], errs[i] = etcd.StartServer(fmt.Sprint("server", i), gates...) })
	}
	starting.Wait()
	for i, server := range servers {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		t.Cleanup(server.Stop)
		s.bridges[i] = bridge.New(server.URL, apiserver.Admin, server.Transport())
		t.Cleanup(s.bridges[i].Close)
	}
}

// choose returns cells: each reference run on both servers, then single faults and pairs, in the same parts as make faults.
func (s *simulator) choose(t *testing.T, n int) []plan.Cell {
	var out []plan.Cell
	faults := map[string][]plan.Fault{}
	for _, name := range s.names {
		seen := map[plan.Point]bool{}
		for seed := range uint64(2) {
			c := plan.Cell{Run: name, Seed: seed}
			out = append(out, c)
			w, _ := s.run(t, c, false)
			for _, p := range w.Calls {
				for _, m := range plan.Modes {
					if !seen[p] && m.At(p) {
						faults[name] = append(faults[name], plan.Fault{Mode: m.Name, At: p})
					}
				}
				seen[p] = true
			}
		}
	}
	r := rand.New(rand.NewPCG(*pick, 0))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	out = out[:min(len(out), n/3)]
	for len(out) < n {
		name := s.names[r.IntN(len(s.names))]
		all := faults[name]
		c := plan.Cell{Run: name, Seed: r.Uint64N(100), Faults: []plan.Fault{all[r.IntN(len(all))]}}
		if other := all[r.IntN(len(all))]; r.IntN(10) < 3 && other.At != c.Faults[0].At {
			c.Faults = append(c.Faults, other)
		}
		out = append(out, c)
	}
	return out
}

// TestCells runs cells of the simulation against the real API server. Nodes, users and the store are simulated, and so is
// time.
func TestCells(t *testing.T) {
	testcluster.Env(t)
	s := newSimulator(t)
	cells := s.choose(t, *count)
	if *one != "" {
		c, err := plan.Parse(*one)
		if err != nil {
			t.Fatal(err)
		}
		cells = []plan.Cell{c}
	}
	s.connect(t)
	begun := time.Now()
	var missed, red atomic.Int32
	t.Run("all", func(t *testing.T) {
		for _, c := range cells {
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				w, broken := s.run(t, c, true)
				if len(w.Missed()) > 0 {
					missed.Add(1)
				}
				if *one != "" {
					for _, e := range w.History.Events() {
						t.Log(e)
					}
				}
				if len(broken) == 0 {
					return
				}
				red.Add(1)
				if _, model := s.run(t, c, false); known(c, broken, model) {
					t.Logf("as on the model: %v", broken)
					return
				}
				t.Errorf("%v\nrepeat it with: make faults-real SEED='%s'", broken, c)
			})
		}
	})
	t.Logf("%d cells on the real API server in %s, %d of them red, and %d without the call of a fault", len(cells), time.Since(begun).Round(time.Second), red.Load(), missed.Load())
}

// known reports whether a red cell breaks the same promises on the model, whose own test judges that, or is listed there.
func known(c plan.Cell, got, model []check.Fault) bool {
	if data, err := os.ReadFile("../testdata/known.txt"); err == nil && strings.Contains(string(data), " "+c.String()+"\n") {
		return true
	}
	return !slices.ContainsFunc(got, func(f check.Fault) bool {
		return !slices.ContainsFunc(model, func(m check.Fault) bool { return m.Promise == f.Promise })
	})
}
