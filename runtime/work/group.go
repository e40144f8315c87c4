package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Group is a concurrency group of a project on this machine: PROJECT/.pipec/groups/NAME, with a file for each place. Who
// holds a place has its file locked, so that the kernel gives the place back when the process ends, however it ends. The
// processes of a step inherit the lock: those that outlive a killed pipec hold the place as long as they live.
//
// Who waits first waits for its turn, which is another file's lock, and then for any of the places: nobody is passed by
// for long. The kernel wakes who waits; nothing polls. A Group is for one run, and is safe for concurrent use.
type Group struct {
	dir  Dir
	path string

	turn   locks
	places locks
	one    chan struct{} // held by who waits: a run waits for one place at a time
}

// Holder is who holds a place.
type Holder struct {
	Run     string    `json:"run"`
	Step    string    `json:"step"`
	Attempt int       `json:"attempt"`
	Since   time.Time `json:"since"`
	// Dead says that its pipec was killed, and that processes of it are left.
	Dead bool `json:"-"`
}

// Place is a place that is held.
type Place struct{ f *os.File }

// File is what a process must inherit to hold the place too.
func (p *Place) File() *os.File { return p.f }

// Leave gives the place back, whoever has inherited it.
func (p *Place) Leave() {
	_ = p.f.Truncate(0)
	_ = flock(p.f, unix.LOCK_UN)
	_ = p.f.Close()
}

// turnName is the file whose lock is the turn to wait for a place. The others are numbers.
const turnName = "turn"

// Group is the group named; the name must be one of the language's.
func (d Dir) Group(name string) *Group {
	return &Group{dir: d, path: filepath.Join(d.groups(), name), one: make(chan struct{}, 1)}
}

func (d Dir) groups() string { return filepath.Join(filepath.Dir(d.path), "groups") }

func (g *Group) file(name string) string { return filepath.Join(g.path, name) }

// numbered are the names of the first n places.
func (g *Group) numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = g.file(strconv.Itoa(i))
	}
	return out
}

// beyond are the places that there are beyond a limit: a run that knew a larger one may hold them.
func (g *Group) beyond(limit int) ([]string, error) {
	entries, err := os.ReadDir(g.path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n >= limit {
			out = append(out, g.file(e.Name()))
		}
	}
	return out, nil
}

// Wait waits until one of the places is free, and takes it. told is told who holds them, when that has to be waited for.
func (g *Group) Wait(ctx context.Context, limit int, h Holder, told func([]Holder)) (*Place, error) {
	select {
	case g.one <- struct{}{}:
		defer func() { <-g.one }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := os.MkdirAll(g.path, 0o777); err != nil {
		return nil, err
	}
	tell := func() { told(g.Holders()) }
	turn, err := g.turn.wait(ctx, []string{g.file(turnName)}, tell)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	beyond, err := g.beyond(limit)
	if err != nil {
		return nil, err
	}
	for _, name := range beyond {
		f, err := g.places.wait(ctx, []string{name}, tell)
		if err != nil {
			return nil, err
		}
		_ = f.Close()
	}
	for {
		f, err := g.next(ctx, limit, h.Run, told)
		if err != nil {
			return nil, err
		}
		if f != nil {
			return take(f, h)
		}
	}
}

// next waits for a place that it can lock, or until it is worth to look again: then it gives none.
func (g *Group) next(ctx context.Context, limit int, run string, told func([]Holder)) (*os.File, error) {
	v, err := g.look(g.numbered(limit), run)
	if err != nil || v.free != nil {
		return v.free, err
	}
	defer closeAll(v.left)
	f, err := g.await(ctx, &v, func() { told(v.mark(g.Holders())) })
	if f != nil && (!same(f) || g.outlived(f, run)) {
		_ = f.Close()
		f = nil
	}
	return f, err
}

// view is what a look at places has found: one that is free, which is locked then; or else who holds them.
type view struct {
	free   *os.File
	locked []string // files that somebody has locked
	dead   []Holder // of those that nobody has locked: they were killed, and processes of them are left
	left   []int    // handles of these
}

// look looks at each of the places, until one is free.
func (g *Group) look(names []string, run string) (v view, err error) {
	for _, name := range names {
		f, free, err := tryLock(name)
		if err != nil {
			closeAll(v.left)
			return view{}, err
		}
		if !free {
			v.locked = append(v.locked, name)
			continue
		}
		h, left := g.left(f, run)
		there := same(f)
		if there && len(left) == 0 {
			closeAll(v.left)
			return view{free: f}, nil
		}
		_ = f.Close()
		if there {
			v.dead, v.left = append(v.dead, h), append(v.left, left...)
		} else { // the directory was removed meanwhile
			closeAll(left)
			v.locked = append(v.locked, name)
		}
	}
	return v, nil
}

// mark notes of which holders processes are all that is left.
func (v *view) mark(holders []Holder) []Holder {
	for i := range holders {
		h := &holders[i]
		h.Dead = slices.ContainsFunc(v.dead, func(d Holder) bool { return d.Run == h.Run && d.Step == h.Step && d.Attempt == h.Attempt })
	}
	return holders
}

func closeAll(handles []int) {
	for _, fd := range handles {
		_ = unix.Close(fd)
	}
}

// take writes who holds a place whose file is locked.
func take(f *os.File, h Holder) (*Place, error) {
	data, err := json.Marshal(h)
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(data, 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Place{f}, nil
}

// Try takes a place that is free. Without one, it says who holds them.
func (g *Group) Try(limit int, h Holder) (*Place, []Holder, error) {
	if err := os.MkdirAll(g.path, 0o777); err != nil {
		return nil, nil, err
	}
	for try := 0; ; try++ {
		p, unsure, err := g.try(limit, h)
		if p != nil || err != nil {
			return p, nil, err
		}
		if !unsure || try == lockTries {
			return nil, g.Holders(), nil
		}
		time.Sleep(lockPause)
	}
}

// try looks at each place once. unsure says that one may be locked by who doesn't want it any more and only has to let
// go, or by who has just taken it.
func (g *Group) try(limit int, h Holder) (p *Place, unsure bool, err error) {
	beyond, err := g.beyond(limit)
	if err != nil {
		return nil, false, err
	}
	unknown := func(name string) bool {
		_, known := holder(name)
		return !known
	}
	for _, name := range beyond {
		f, free, err := tryLock(name)
		if err != nil {
			return nil, false, err
		}
		if !free {
			return nil, unknown(name), nil
		}
		_ = f.Close()
	}
	v, err := g.look(g.numbered(limit), h.Run)
	if err != nil {
		return nil, false, err
	}
	if v.free != nil {
		p, err := take(v.free, h)
		return p, false, err
	}
	closeAll(v.left)
	return nil, slices.ContainsFunc(v.locked, unknown), nil
}

// Holders are those that hold places, as far as they have said so.
func (g *Group) Holders() []Holder {
	names, err := g.beyond(0)
	if err != nil {
		return nil
	}
	var out []Holder
	for _, name := range names {
		if h, known := holder(name); known {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Holder) int { return a.Since.Compare(b.Since) })
	return out
}

// holder is who has written that it holds a place.
func holder(name string) (Holder, bool) {
	f, err := os.Open(name)
	if err != nil {
		return Holder{}, false
	}
	defer f.Close()
	return read(f)
}

func read(f *os.File) (h Holder, known bool) {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil || json.Unmarshal(data, &h) != nil || h.Run == "" {
		return Holder{}, false
	}
	return h, true
}

// same says whether a file is still the one at its path.
func same(f *os.File) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(f.Name())
	return err == nil && os.SameFile(mine, there)
}

// errEnded is the cause for who waits for a lock when a process has ended that held another place.
var errEnded = errors.New("a process has ended")

// await waits until one of the files can be locked that somebody has locked, or one of the processes has ended that hold
// the other places: then it gives none.
func (g *Group) await(ctx context.Context, v *view, tell func()) (*os.File, error) {
	if len(v.left) == 0 {
		return g.places.wait(ctx, v.locked, tell)
	}
	either, stop := context.WithCancelCause(ctx)
	ends := make(chan error, 1)
	go func() {
		ends <- awaitEnds(either, v.left)
		stop(errEnded)
	}()
	f, err := g.places.wait(either, v.locked, tell)
	stop(nil)
	end := <-ends
	if errors.Is(err, errEnded) {
		return nil, end
	}
	return f, err
}

// outlived says whether processes are left of who held a place, see left.
func (g *Group) outlived(f *os.File, run string) bool {
	_, left := g.left(f, run)
	closeAll(left)
	return len(left) > 0
}

// left is who held the place whose file is locked and has not left it, with handles of the processes that are left: it
// was killed. Those that have closed what they inherited hold the place all the same.
func (g *Group) left(f *os.File, run string) (Holder, []int) {
	h, known := read(f)
	if !known || h.Run == run { // who goes on with a run has ended what was left of it
		return h, nil
	}
	r, err := g.dir.Run(h.Run)
	if err != nil {
		return h, nil
	}
	return h, r.processes()
}

// awaitEnds waits until one of the processes has ended.
func awaitEnds(ctx context.Context, handles []int) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	stop := context.AfterFunc(ctx, func() { _, _ = w.Write([]byte{0}) })
	defer stop()
	fds := []unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}
	for _, fd := range handles {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
}

// Forget gives back the places of a run whose driver was killed, when no process of it is left.
func (d Dir) Forget(run string) error {
	names, err := fs.Glob(os.DirFS(d.groups()), "*/[0-9]*") // the project's own path may have what means something to Glob
	if err != nil {
		return fmt.Errorf("the groups of the project: %w", err)
	}
	for _, name := range names {
		name = filepath.Join(d.groups(), name)
		if h, known := holder(name); !known || h.Run != run {
			continue
		}
		f, free, err := tryLock(name)
		if err != nil || !free {
			continue
		}
		if h, known := read(f); known && h.Run == run {
			_ = f.Truncate(0)
		}
		_ = f.Close()
	}
	return nil
}

// tryLock locks a file, if nobody has it locked.
func tryLock(name string) (f *os.File, free bool, err error) {
	if f, err = openPlace(name); err != nil {
		return nil, false, err
	}
	if err = flock(f, unix.LOCK_EX|unix.LOCK_NB); err == nil {
		return f, true, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, &fs.PathError{Op: "lock", Path: name, Err: err}
}

// openPlace opens the file of a place, which it makes where it isn't there.
func openPlace(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
}
