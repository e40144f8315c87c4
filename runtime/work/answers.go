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

// answersName is where answers to approvals lie that the driver has not taken yet, and takenName, in it, where the others
// do. The place is made by the driver when it first asks.
const (
	answersName = ".answers"
	takenName   = "taken"
)

// ErrNotAsked says that the run has asked nothing yet.
var ErrNotAsked = errors.New("the run is not waiting for an answer")

// ErrAnswered says that there already is an answer.
var ErrAnswered = errors.New("there already is an answer")

func (r Run) answers() string { return filepath.Join(r.path, answersName) }

// OpenAnswers lets others answer. It is for the driver, as are the following four.
func (r Run) OpenAnswers() error { return os.MkdirAll(filepath.Join(r.answers(), takenName), 0o777) }

// ReopenAnswer brings back an answer that was taken before the driver was killed, and of which the run's log has not come
// to know: what is asked once more has not been answered.
func (r Run) ReopenAnswer(name string) {
	_ = os.Rename(filepath.Join(r.answers(), takenName, name), filepath.Join(r.answers(), name))
}

// Answers are the names of the answers that were not taken yet, sorted.
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

// ReadAnswer reads an answer of at most so many bytes.
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

// CloseAnswer says what has become of an answer: it was taken, or not.
func (r Run) CloseAnswer(name string, taken bool) {
	path := filepath.Join(r.answers(), name)
	if !taken || os.Rename(path, filepath.Join(r.answers(), takenName, name)) != nil {
		_ = os.Remove(path)
	}
}

// Answer gives an answer to the driver of the run, and waits until it has seen it, or drives the run no more: the run's
// records say then what has become of it. Of two answers of one name the first counts; the other is ErrAnswered.
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
		return false, err // a driver that does not listen looks when it begins to
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

// putAnswer makes an answer appear whole, where there is none.
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
