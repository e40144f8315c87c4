package work

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// cancelPrefix starts the names of requests to cancel; each file is one request.
const cancelPrefix = "cancel-"

// RequestCancel asks the driver of the run to cancel it. It doesn't wait.
func (r Run) RequestCancel() error {
	f, err := os.CreateTemp(filepath.Join(r.path, requestsDir), cancelPrefix+"*")
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the run takes no requests yet, or not any more")
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// Requests tells the driver of requests to cancel.
type Requests struct {
	// Cancel gets one value a request.
	Cancel  <-chan struct{}
	watcher *fsnotify.Watcher
	quit    chan struct{}
}

// Requests starts to watch. It is for the holder of the lock; requests of a former driver's time are dropped.
func (r Run) Requests() (*Requests, error) {
	dir := filepath.Join(r.path, requestsDir)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	if err = os.Mkdir(dir, 0o777); err == nil {
		err = w.Add(dir)
	}
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	cancel := make(chan struct{})
	q := &Requests{Cancel: cancel, watcher: w, quit: make(chan struct{})}
	go q.forward(dir, cancel)
	return q, nil
}

func (q *Requests) forward(dir string, cancel chan<- struct{}) {
	seen := map[string]bool{}
	tell := func(name string) bool {
		if name = filepath.Base(name); !strings.HasPrefix(name, cancelPrefix) || seen[name] {
			return true
		}
		seen[name] = true
		select {
		case cancel <- struct{}{}:
			return true
		case <-q.quit:
			return false
		}
	}
	entries, _ := os.ReadDir(dir) // what came before the watch
	for _, e := range entries {
		if !tell(e.Name()) {
			return
		}
	}
	for {
		select {
		case e, ok := <-q.watcher.Events:
			if !ok || e.Has(fsnotify.Create) && !tell(e.Name) {
				return
			}
		case _, ok := <-q.watcher.Errors: // an overflow: a request that was lost can be made again
			if !ok {
				return
			}
		}
	}
}

// Close ends the watch.
func (q *Requests) Close() {
	close(q.quit)
	_ = q.watcher.Close()
}
