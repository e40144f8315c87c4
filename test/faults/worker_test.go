//go:debug randseednop=0

package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// outcome is what a worker reports of a cell.
type outcome struct {
	Cell   string   `json:"cell"`
	Faults []string `json:"faults,omitempty"` // broken promises
	Missed bool     `json:"missed,omitempty"` // a fault's call was not sent
	Hash   uint64   `json:"hash"`             // of the history
}

// workerEnv is set in a worker, to its directory.
const workerEnv = "PIPEC_FAULTS_WORKER"

// patience is how long one simulation may take on a busy machine.
const patience = 2 * time.Minute

// memory is a file system in memory, if the machine has it: a fifth of a simulation's time is to make directories.
const memory = "/dev/shm"

// TestWorker simulates the cells that it reads, one a line, and writes an outcome for each. It does nothing unless it runs
// as a worker of TestFaults: a process with one CPU and a seeded math/rand, which many packages take their jitter from, so
// that a cell is always the same.
func TestWorker(t *testing.T) {
	dir := os.Getenv(workerEnv)
	if dir == "" {
		return
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // TestFaults, which may have been killed, removes it as well
	s := newSimulator(t)
	out := json.NewEncoder(os.NewFile(3, "outcomes"))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		c, err := plan.Parse(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		watchdog := time.AfterFunc(patience, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGQUIT) }) // prints all goroutines
		err = out.Encode(s.outcome(t, c))
		watchdog.Stop()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// outcome simulates a cell.
func (s *simulator) outcome(t *testing.T, c plan.Cell) outcome {
	w, faults := s.run(t, c)
	o := outcome{Cell: c.String(), Missed: len(w.Missed()) > 0, Hash: hashOf(w.History.Events())}
	for _, f := range faults {
		o.Faults = append(o.Faults, f.String())
	}
	return o
}

// seed makes the packages that use math/rand repeatable.
func seed(n uint64) {
	//lint:ignore SA1019 the jitter of client-go and of backoff has no other source that a test can set
	rand.Seed(int64(n) + 1)
}

// hashOf digests a history. Events of one instant have no order.
func hashOf(events []history.Event) uint64 {
	lines := make([]string, 0, len(events))
	for i := range events {
		lines = append(lines, fmt.Sprintf("%20d %s", events[i].At, events[i]))
	}
	slices.Sort(lines)
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.Join(lines, "\n")))
	return h.Sum64()
}

// worker is a process that simulates cells. It is used by one goroutine.
type worker struct {
	cmd    *exec.Cmd
	dir    string // of all its files
	in     *os.File
	out    *bufio.Reader
	stderr *strings.Builder
}

func startWorker() (*worker, error) {
	w := &worker{stderr: &strings.Builder{}}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	stdin, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, report, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	parent := ""
	if _, err := os.Stat(memory); err == nil {
		parent = memory
	}
	if w.dir, err = os.MkdirTemp(parent, "pipec-faults-*"); err != nil {
		return nil, err
	}
	w.cmd = exec.Command(self, "-test.run=^TestWorker$", "-test.timeout=0")
	w.cmd.Env = append(os.Environ(), workerEnv+"="+w.dir, "TMPDIR="+w.dir, "GOMAXPROCS=1", "GOGC=400")
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt ends TestFaults alone: the worker then reads the end of its input
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr, w.cmd.ExtraFiles = stdin, w.stderr, w.stderr, []*os.File{report}
	w.in, w.out = in, bufio.NewReader(out)
	err = w.cmd.Start()
	_ = stdin.Close()
	_ = report.Close()
	if err != nil {
		_ = os.RemoveAll(w.dir)
	}
	return w, err
}

// run simulates a cell. An error says that the worker has died of it.
func (w *worker) run(c plan.Cell) (outcome, error) {
	var o outcome
	if _, err := fmt.Fprintln(w.in, c); err != nil {
		return o, err
	}
	line, err := w.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &o)
	}
	if err != nil {
		w.stop()
		text := w.stderr.String()
		if i := strings.Index(text, "SIGQUIT"); i >= 0 {
			text = text[i:]
		}
		if i := strings.Index(text, "panic:"); i >= 0 {
			text = text[i:]
		}
		return o, fmt.Errorf("the simulation has died: %.2000s", text)
	}
	return o, nil
}

func (w *worker) stop() {
	_ = w.in.Close()
	_ = w.cmd.Wait()
	_ = os.RemoveAll(w.dir)
}
