package work

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// answersName is the directory of answers to approvals that the driver has not taken yet. takenName, in it, is the
// directory of the others. The driver creates them when it first asks.
const (
	answersName = ".answers"
	takenName   = "taken"
)

// ErrNotAsked reports that the run has not asked for an approval yet.
var ErrNotAsked = errors.New("the run is not waiting for an answer")

// ErrAnswered reports that there already is an answer.
var ErrAnswered = errors.New("there already is an answer")

func (r Run) answers() string { return filepath.Join(r.path, answersName) }

// OpenAnswers allows others to answer. The driver calls it, and the following four methods.
func (r Run) OpenAnswers() error { return os.MkdirAll(filepath.Join(r.answers(), takenName), 0o777) }

// ReopenAnswer restores an answer that the driver took before it was killed, but that is not in the run's log. An
// approval that is requested again has not been answered.
func (r Run) ReopenAnswer(name string) {
	_ = os.Rename(filepath.Join(r.answers(), takenName, name), filepath.Join(r.answers(), name))
}

// Answers returns the names of the answers that were not taken yet, sorted.
func (r Run) Answers() []string {
	entries, err := os.ReadDir(r.answers())
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	return out
}

// ReadAnswer reads an answer, up to a maximum size in bytes.
func (r Run) ReadAnswer(name string, most int) ([]byte, error) {
	f, err := os.Open(filepath.Join(r.answers(), name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("it is larger than the limit for answers (%d bytes)", most)
	}
	return data, err
}

// CloseAnswer records whether an answer was taken or rejected.
func (r Run) CloseAnswer(name string, taken bool) {
	path := filepath.Join(r.answers(), name)
	if !taken || os.Rename(path, filepath.Join(r.answers(), takenName, name)) != nil {
		_ = os.Remove(path)
	}
}

// Answer passes an answer to the driver of the run, and waits until the driver has read it or no longer drives the run:
// then the run's records show the result. If there are two answers to an approval the first counts, and the second
// fails with ErrAnswered.
func (r Run) Answer(ctx context.Context, name string, data []byte) (taken bool, err error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return false, err
	}
	defer w.Close()
	if err := w.Add(r.answers()); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrNotAsked
		}
		return false, err
	}
	if err := r.putAnswer(name, data); err != nil {
		return false, err
	}
	if err := r.request(answerRequest); err != nil && !errors.Is(err, errNoRequests) {
		return false, err // a driver that isn't listening yet reads it when it starts to
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	released := make(chan error, 1)
	go func() { released <- r.Released(ctx) }()
	for {
		if _, err := os.Lstat(filepath.Join(r.answers(), name)); err != nil {
			_, err := os.Lstat(filepath.Join(r.answers(), takenName, name))
			return err == nil, nil
		}
		select {
		case <-w.Events:
		case err := <-w.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return false, err
			}
		case err := <-released:
			return false, err
		}
	}
}

// putAnswer creates an answer atomically, if there is none.
func (r Run) putAnswer(name string, data []byte) error {
	f, err := os.CreateTemp(r.answers(), ".answer-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	path := filepath.Join(r.answers(), name)
	err = os.Link(f.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return ErrAnswered
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(r.answers(), takenName, name)); err == nil {
		_ = os.Remove(path)
		return ErrAnswered
	}
	return nil
}
