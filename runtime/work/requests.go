package work

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The bytes that are written to the driver's pipe: a request to cancel, and a notification that there is an answer.
const (
	cancelRequest = 'c'
	answerRequest = 'a'
)

// errNoRequests reports that no process reads requests.
var errNoRequests = errors.New("the run doesn't accept requests now")

// RequestCancel asks the driver of the run to cancel it. It does not wait.
func (r Run) RequestCancel() error { return r.request(cancelRequest) }

func (r Run) request(what byte) error {
	name := filepath.Join(r.path, requestsName)
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO): // there is no pipe, or no reader
		return errNoRequests
	case err != nil:
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil || info.Mode&unix.S_IFMT != unix.S_IFIFO {
		return fmt.Errorf("%s is not the pipe of a driver", name)
	}
	for {
		_, err := unix.Write(fd, []byte{what})
		switch {
		case err == nil, errors.Is(err, unix.EAGAIN): // the pipe is full: the driver is going to read all requests
			return nil
		case errors.Is(err, unix.EPIPE):
			return errNoRequests
		case !errors.Is(err, unix.EINTR):
			return &fs.PathError{Op: "write", Path: name, Err: err}
		}
	}
}

// Requests notifies the driver of requests.
type Requests struct {
	// Cancel receives one value per request.
	Cancel <-chan struct{}
	// Answers receives a value when there are answers, one or several.
	Answers <-chan struct{}
	pipe    *os.File // nil if the file system doesn't support named pipes; then there are no requests
	quit    chan struct{}
}

// Requests starts to listen for requests. The caller must hold the lock. Requests to a former driver are dropped.
//
// It uses a named pipe instead of watching a directory, because the kernel takes 20 ms to end a watch, as long as a
// small run.
func (r Run) Requests() (*Requests, error) {
	name := filepath.Join(r.path, requestsName)
	if err := os.RemoveAll(name); err != nil {
		return nil, err
	}
	cancel, answers := make(chan struct{}), make(chan struct{}, 1)
	q := &Requests{Cancel: cancel, Answers: answers, quit: make(chan struct{})}
	err := unix.Mkfifo(name, 0o666)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) {
		return q, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "mkfifo", Path: name, Err: err}
	}
	// The process also has the pipe open for writing, so that it never reads an end of file.
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	q.pipe = os.NewFile(uintptr(fd), name)
	go q.forward(cancel, answers)
	return q, nil
}

func (q *Requests) forward(cancel, answers chan<- struct{}) {
	var buf [64]byte
	for {
		n, err := q.pipe.Read(buf[:])
		if err != nil {
			return
		}
		for _, b := range buf[:n] {
			switch b {
			case cancelRequest:
				select {
				case cancel <- struct{}{}:
				case <-q.quit:
					return
				}
			case answerRequest:
				select {
				case answers <- struct{}{}:
				default: // a notification is pending already
				}
			}
		}
	}
}

// Close stops listening.
func (q *Requests) Close() {
	close(q.quit)
	if q.pipe != nil {
		_ = q.pipe.Close()
	}
}
