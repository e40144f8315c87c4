package groups

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/runtime/work"
)

// newGroup returns the groups of a new project, and a function that returns one of them as another run uses it.
func newGroup(t *testing.T) (Groups, func() *Group) {
	t.Helper()
	dir, err := work.In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	gs := Of(dir)
	return gs, func() *Group { return gs.Group("g") }
}

// request waits for a slot. waits is closed when it has to wait.
func request(t *testing.T, ctx context.Context, g *Group, limit int, run string) (got <-chan *Slot, waits <-chan struct{}) {
	t.Helper()
	c, w := make(chan *Slot, 1), make(chan struct{})
	var once sync.Once
	go func() {
		p, err := g.Wait(ctx, limit, Holder{Run: run, Step: "s", Attempt: 1, Since: time.Now()}, func([]Holder) { once.Do(func() { close(w) }) })
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		c <- p
	}()
	return c, w
}

// awaitTurn waits until the group's waiter has the turn and waits for a slot.
func (g *Group) awaitTurn(t *testing.T) {
	t.Helper()
	if !eventually.Holds(time.Minute, func() bool {
		g.slots.mu.Lock()
		defer g.slots.mu.Unlock()
		return g.slots.got != nil
	}) {
		t.Fatal("the run does not wait for a slot")
	}
}

// TestGroupTurns: a waiter gets the slot before a former holder that requests it again.
func TestGroupTurns(t *testing.T) {
	_, group := newGroup(t)
	a, b := group(), group()
	got, _ := request(t, t.Context(), a, 1, "a")
	first := <-got
	gotB, _ := request(t, t.Context(), b, 1, "b")
	b.awaitTurn(t)
	for range 20 {
		first.Release()
		again, _ := request(t, t.Context(), a, 1, "a")
		second := <-gotB
		if h := b.Holders(); len(h) != 1 || h[0].Run != "b" {
			t.Fatalf("the holder is %v", h)
		}
		select {
		case <-again:
			t.Fatal("two runs hold the slot")
		default:
		}
		// With the roles exchanged.
		a.awaitTurn(t)
		gotB, _ = request(t, t.Context(), b, 1, "b")
		second.Release()
		first = <-again
		b.awaitTurn(t)
	}
	first.Release()
	(<-gotB).Release()
}

// TestGroupGivenUp: a waiter that gives up leaves nothing locked, even after many times.
func TestGroupGivenUp(t *testing.T) {
	_, group := newGroup(t)
	a, b := group(), group()
	p, _, err := a.Try(2, Holder{Run: "a"})
	if err != nil || p == nil {
		t.Fatal(p, err)
	}
	q, _, err := a.Try(2, Holder{Run: "a"})
	if err != nil || q == nil {
		t.Fatal(q, err)
	}
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		got, waits := request(t, ctx, b, 2, "b")
		<-waits
		cancel()
		if p := <-got; p != nil {
			t.Fatal("a cancelled request got a slot")
		}
	}
	q.Release()
	if q, _, err = group().Try(2, Holder{Run: "c"}); err != nil || q == nil {
		t.Fatal("a free slot was not given", err)
	}
	got, waits := request(t, t.Context(), b, 2, "b") // served by a thread that was left behind
	<-waits
	p.Release()
	(<-got).Release()
	q.Release()
	if h := a.Holders(); len(h) != 0 {
		t.Errorf("the holders are %v", h)
	}
}

// TestGroupTry: Try takes a slot while other runs release theirs, and never more slots than the group has.
func TestGroupTry(t *testing.T) {
	_, group := newGroup(t)
	var held []*Slot
	for range 3 {
		p, _, err := group().Try(3, Holder{Run: "x", Since: time.Now()})
		if err != nil || p == nil {
			t.Fatal("a free slot was not given", err)
		}
		held = append(held, p)
	}
	if p, holders, err := group().Try(3, Holder{Run: "x"}); err != nil || p != nil || len(holders) != 3 {
		t.Errorf("want no fourth slot and three holders, got %v, %v (%v)", p, holders, err)
	}
	for _, p := range held {
		p.Release()
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	in, most := 0, 0
	for range 8 {
		g := group()
		all.Go(func() {
			for range 50 {
				p, _, err := g.Try(3, Holder{Run: "x", Since: time.Now()})
				if err != nil {
					t.Error(err)
					return
				}
				if p == nil {
					continue
				}
				mu.Lock()
				in++
				most = max(most, in)
				mu.Unlock()
				runtime.Gosched() // lets the others try
				mu.Lock()
				in--
				mu.Unlock()
				p.Release()
			}
		})
	}
	all.Wait()
	if most > 3 {
		t.Errorf("%d runs held a slot at once, the limit is 3", most)
	}
}

// TestGroupRemoved: the directory of the groups is removed during a wait.
func TestGroupRemoved(t *testing.T) {
	gs, group := newGroup(t)
	p, _, err := group().Try(1, Holder{Run: "a"})
	if err != nil || p == nil {
		t.Fatal(p, err)
	}
	got, waits := request(t, t.Context(), group(), 1, "b")
	<-waits
	if err := os.RemoveAll(gs.path); err != nil {
		t.Fatal(err)
	}
	p.Release()
	q := <-got
	if h, known := holderOf(filepath.Join(gs.path, "g", "0")); !known || h.Run != "b" {
		t.Errorf("the holder is %v", h)
	}
	if r, _, err := group().Try(1, Holder{Run: "c"}); r != nil || err != nil {
		t.Errorf("two runs hold the slot: %v", err)
	}
	q.Release()
}

// TestGroupReleaseRun: ReleaseRun frees the slots of a killed run, and leaves slots that others hold or whose files are damaged.
func TestGroupReleaseRun(t *testing.T) {
	gs, group := newGroup(t)
	g := group()
	p, _, err := g.Try(3, Holder{Run: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"1": `{"run":"dead","step":"s","attempt":1}`, "2": "{"} {
		if err := os.WriteFile(filepath.Join(g.path, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := gs.ReleaseRun("dead"); err != nil {
		t.Fatal(err)
	}
	if err := gs.ReleaseRun("a"); err != nil { // it is running
		t.Fatal(err)
	}
	if h := g.Holders(); len(h) != 1 || h[0].Run != "a" {
		t.Errorf("the holders are %v", h)
	}
	p.Release()
}

// TestGroupOutlived: a slot that processes of a killed run hold without the lock does not block a waiter for the other slot, and a waiter
// gets the slot that is free first.
func TestGroupOutlived(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are found by /proc")
	}
	gs, group := newGroup(t)
	dead, err := gs.dir.Run("dead")
	if err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("sleep", "1000")
	daemon.Env = append(os.Environ(), "PIPEC_INPUTS="+filepath.Join(dead.Attempt("s", 1), "inputs"))
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Process.Kill() })
	g := group()
	if err := os.MkdirAll(g.path, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.path, "0"), []byte(`{"run":"dead","step":"s","attempt":1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	got, _ := request(t, t.Context(), g, 2, "a") // one is free
	first := <-got
	marked := false
	second := make(chan *Slot)
	notified := make(chan struct{}, 10)
	go func() {
		p, err := group().Wait(t.Context(), 2, Holder{Run: "b"}, func(holders []Holder) {
			for _, h := range holders {
				marked = marked || h.Dead && h.Run == "dead"
			}
			notified <- struct{}{}
		})
		if err != nil {
			t.Error(err)
		}
		second <- p
	}()
	<-notified
	first.Release() // the processes still hold the other slot
	p := <-second
	if !marked {
		t.Error("the waiter was not notified of the processes")
	}
	c := group()
	got, waits := request(t, t.Context(), c, 2, "c")
	<-waits
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()
	(<-got).Release() // the other slot is still held
	p.Release()
	if h := c.Holders(); len(h) != 0 {
		t.Errorf("the holders are %v", h)
	}
}
