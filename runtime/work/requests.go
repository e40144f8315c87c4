package work

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// What is written into the driver's pipe: a request to cancel, and that there is an answer to be taken.
const (
	cancelRequest = 'c'
	answerRequest = 'a'
)

// errNoRequests says that nobody reads requests.
var errNoRequests = errors.New("the run doesn't accept requests now")

// RequestCancel asks the driver of the run to cancel it. It doesn't wait.
func (r Run) RequestCancel() error { return r.request(cancelRequest) }

func (r Run) request(what byte) error {
	name := filepath.Join(r.path, requestsName)
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO): // no pipe, or no reader
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
		case err == nil, errors.Is(err, unix.EAGAIN): // the pipe is full of requests: the driver is about to look at all
			return nil
		case errors.Is(err, unix.EPIPE):
			return errNoRequests
		case !errors.Is(err, unix.EINTR):
			return &fs.PathError{Op: "write", Path: name, Err: err}
		}
	}
}

// Requests tells the driver of requests.
type Requests struct {
	// Cancel gets one value a request.
	Cancel <-chan struct{}
	// Answers gets a value when there are answers, one or several.
	Answers <-chan struct{}
	pipe    *os.File // nil where the file system has no named pipes: nobody can ask then
	quit    chan struct{}
}

// Requests starts to listen. It is for the holder of the lock; requests of a former driver's time are dropped.
//
// It is a named pipe and no watched directory: the kernel takes 20 ms to end a watch, which is a small run's time.
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
	// Who has it open for writing too never reads its end.
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
				default: // it will look anyway
				}
			}
		}
	}
}

// Close ends the listening.
func (q *Requests) Close() {
	close(q.quit)
	if q.pipe != nil {
		_ = q.pipe.Close()
	}
}
