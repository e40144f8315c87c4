package work

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// cancelRequest is one request to cancel, as it is written into the driver's pipe.
const cancelRequest = 'c'

// errNoRequests says that nobody reads requests.
var errNoRequests = errors.New("the run takes no requests yet, or not any more")

// RequestCancel asks the driver of the run to cancel it. It doesn't wait.
func (r Run) RequestCancel() error {
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
		_, err := unix.Write(fd, []byte{cancelRequest})
		switch {
		case err == nil, errors.Is(err, unix.EAGAIN): // the pipe is full of such requests
			return nil
		case errors.Is(err, unix.EPIPE):
			return errNoRequests
		case !errors.Is(err, unix.EINTR):
			return &fs.PathError{Op: "write", Path: name, Err: err}
		}
	}
}

// Requests tells the driver of requests to cancel.
type Requests struct {
	// Cancel gets one value a request.
	Cancel <-chan struct{}
	pipe   *os.File // nil where the file system has no named pipes: nobody can ask then
	quit   chan struct{}
}

// Requests starts to listen. It is for the holder of the lock; requests of a former driver's time are dropped.
//
// It is a named pipe and no watched directory: the kernel takes 20 ms to end a watch, which is a small run's time.
func (r Run) Requests() (*Requests, error) {
	name := filepath.Join(r.path, requestsName)
	if err := os.RemoveAll(name); err != nil {
		return nil, err
	}
	cancel := make(chan struct{})
	q := &Requests{Cancel: cancel, quit: make(chan struct{})}
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
	go q.forward(cancel)
	return q, nil
}

func (q *Requests) forward(cancel chan<- struct{}) {
	var buf [64]byte
	for {
		n, err := q.pipe.Read(buf[:])
		if err != nil {
			return
		}
		for _, b := range buf[:n] {
			if b != cancelRequest {
				continue
			}
			select {
			case cancel <- struct{}{}:
			case <-q.quit:
				return
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
