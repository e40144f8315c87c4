package work

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
)

func newGroup(t *testing.T) (Dir, func() *Group) {
	t.Helper()
	dir, err := In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir, func() *Group { return dir.Group("g") }
}

// enter waits for a place. told is closed when it has to wait.
func enter(t *testing.T, ctx context.Context, g *Group, limit int, run string) (got <-chan *Place, told <-chan struct{}) {
	t.Helper()
	c, waits := make(chan *Place, 1), make(chan struct{})
	var once sync.Once
	go func() {
		p, err := g.Wait(ctx, limit, Holder{Run: run, Step: "s", Attempt: 1, Since: time.Now()}, func([]Holder) { once.Do(func() { close(waits) }) })
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		c <- p
	}()
	return c, waits
}

// first waits until it is the group's turn to wait for a place: a system call that blocks reports to nobody.
func (g *Group) first(t *testing.T) {
	t.Helper()
	if !eventually.Holds(time.Minute, func() bool {
		g.places.mu.Lock()
		defer g.places.mu.Unlock()
		return g.places.got != nil
	}) {
		t.Fatal("it does not wait for a place")
	}
}

// TestGroupTurns: a waiter gets the place before a former holder that wants it again.
func TestGroupTurns(t *testing.T) {
	_, group := newGroup(t)
	a, b := group(), group()
	got, _ := enter(t, t.Context(), a, 1, "a")
	first := <-got
	gotB, _ := enter(t, t.Context(), b, 1, "b")
	b.first(t)
	for range 20 {
		first.Leave()
		again, _ := enter(t, t.Context(), a, 1, "a")
		second := <-gotB
		if h := b.Holders(); len(h) != 1 || h[0].Run != "b" {
			t.Fatalf("in is %v", h)
		}
		select {
		case <-again:
			t.Fatal("two are in")
		default:
		}
		// With the roles exchanged.
		a.first(t)
		gotB, _ = enter(t, t.Context(), b, 1, "b")
		second.Leave()
		first = <-again
		b.first(t)
	}
	first.Leave()
	(<-gotB).Leave()
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
		got, told := enter(t, ctx, b, 2, "b")
		<-told
		cancel()
		if p := <-got; p != nil {
			t.Fatal("it is in")
		}
	}
	q.Leave()
	if q, _, err = group().Try(2, Holder{Run: "c"}); err != nil || q == nil {
		t.Fatal("a free place can't be had", err)
	}
	got, told := enter(t, t.Context(), b, 2, "b") // served by a thread that was left behind
	<-told
	p.Leave()
	(<-got).Leave()
	q.Leave()
	if h := a.Holders(); len(h) != 0 {
		t.Errorf("in are %v", h)
	}
}

// TestGroupTry: Try gets a place while other waiters only release theirs, and never more places than there are.
func TestGroupTry(t *testing.T) {
	_, group := newGroup(t)
	var held []*Place
	for range 3 {
		p, _, err := group().Try(3, Holder{Run: "x", Since: time.Now()})
		if err != nil || p == nil {
			t.Fatal("a free place can't be had", err)
		}
		held = append(held, p)
	}
	if p, holders, err := group().Try(3, Holder{Run: "x"}); err != nil || p != nil || len(holders) != 3 {
		t.Errorf("a fourth is in, or not told of the three: %v, %v (%v)", p, holders, err)
	}
	for _, p := range held {
		p.Leave()
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
				runtime.Gosched() // others may try
				mu.Lock()
				in--
				mu.Unlock()
				p.Leave()
			}
		})
	}
	all.Wait()
	if most > 3 {
		t.Errorf("%d were in, of 3", most)
	}
}

// TestGroupRemoved: the directory of the groups is removed during a wait.
func TestGroupRemoved(t *testing.T) {
	dir, group := newGroup(t)
	p, _, err := group().Try(1, Holder{Run: "a"})
	if err != nil || p == nil {
		t.Fatal(p, err)
	}
	got, told := enter(t, t.Context(), group(), 1, "b")
	<-told
	if err := os.RemoveAll(dir.groups()); err != nil {
		t.Fatal(err)
	}
	p.Leave()
	q := <-got
	if h, known := holder(filepath.Join(dir.groups(), "g", "0")); !known || h.Run != "b" {
		t.Errorf("in is %v", h)
	}
	if r, _, err := group().Try(1, Holder{Run: "c"}); r != nil || err != nil {
		t.Errorf("two are in: %v", err)
	}
	q.Leave()
}

// TestGroupForget: Forget frees the places of a killed run, and keeps places that others hold or that are damaged.
func TestGroupForget(t *testing.T) {
	dir, group := newGroup(t)
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
	if err := dir.Forget("dead"); err != nil {
		t.Fatal(err)
	}
	if err := dir.Forget("a"); err != nil { // it is running
		t.Fatal(err)
	}
	if h := g.Holders(); len(h) != 1 || h[0].Run != "a" {
		t.Errorf("in are %v", h)
	}
	p.Leave()
}

// TestGroupOutlived: a place held by processes of a killed run, without its lock, does not block another one, and a
// waiter gets whichever place is free first.
func TestGroupOutlived(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are found by /proc")
	}
	dir, group := newGroup(t)
	dead, err := dir.Run("dead")
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
	got, _ := enter(t, t.Context(), g, 2, "a") // one is free
	first := <-got
	marked := false
	second := make(chan *Place)
	waits := make(chan struct{}, 10)
	go func() {
		p, err := group().Wait(t.Context(), 2, Holder{Run: "b"}, func(holders []Holder) {
			for _, h := range holders {
				marked = marked || h.Dead && h.Run == "dead"
			}
			waits <- struct{}{}
		})
		if err != nil {
			t.Error(err)
		}
		second <- p
	}()
	<-waits
	first.Leave() // the other place is still held by the processes
	p := <-second
	if !marked {
		t.Error("who waits is not told of the processes")
	}
	c := group()
	got, told := enter(t, t.Context(), c, 2, "c")
	<-told
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()
	(<-got).Leave() // the other place is still held
	p.Leave()
	if h := c.Holders(); len(h) != 0 {
		t.Errorf("in are %v", h)
	}
}
